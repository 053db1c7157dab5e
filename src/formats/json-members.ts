/** Takes a JSON object apart into its members as they are written, so that whole numbers of any length and the order of the keys come back as they were. */

export interface JsonMember {
  readonly key: string
  /** Is the member as it is written, key and value. */
  readonly text: string
}

/** @param text is known to be a JSON object */
export function jsonMembers(text: string): readonly JsonMember[] {
  const members: JsonMember[] = []
  let at = afterSpace(text, text.indexOf('{') + 1)
  while (text[at] !== '}') {
    const keyEnd = endOfString(text, at)
    const end = endOfValue(text, afterSpace(text, text.indexOf(':', keyEnd) + 1))
    members.push({ key: String(JSON.parse(text.slice(at, keyEnd))), text: text.slice(at, end) })
    at = afterSpace(text, end)
    if (text[at] === ',') at = afterSpace(text, at + 1)
  }
  return members
}

function afterSpace(text: string, start: number): number {
  let at = start
  while (' \t\r\n'.includes(text[at] ?? 'end')) at++
  return at
}

/** A quotation mark ends a string unless an odd number of backslashes stands before it. */
function endOfString(text: string, start: number): number {
  for (let end = start + 1; ; end++) {
    end = text.indexOf('"', end)
    if (end < 0) throw new RangeError('the text is no JSON')
    let escapes = 0
    while (text[end - 1 - escapes] === '\\') escapes++
    if (escapes % 2 === 0) return end + 1
  }
}

function endOfValue(text: string, start: number): number {
  if (text[start] === '"') return endOfString(text, start)
  const isNested = text[start] === '{' || text[start] === '['
  const sign = isNested ? /["[\]{}]/g : /[\s,}\]]/g
  sign.lastIndex = start
  for (let depth = 0; ; ) {
    const found = sign.exec(text)
    if (found === null) throw new RangeError('the text is no JSON')
    const [letter] = found
    if (!isNested) return found.index
    if (letter === '"') sign.lastIndex = endOfString(text, found.index)
    else depth += letter === '[' || letter === '{' ? 1 : -1
    if (depth === 0) return sign.lastIndex
  }
}

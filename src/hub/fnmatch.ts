/** Python's `fnmatch`, by which Birder filters names: `*`, `?`, `[abc]`, `[a-z]` and `[!abc]`, on the whole name. */
export function fnmatch(name: string, pattern: string): boolean {
  const letters = [...pattern]
  let source = ''
  for (let at = 0; at < letters.length; at++) {
    const end = letters[at] === '[' ? endOfSet(letters, at) : -1
    if (end > 0) {
      source += setSource(letters.slice(at + 1, end))
      at = end
    } else source += letters[at] === '*' ? '.*' : letters[at] === '?' ? '.' : literal(letters[at])
  }
  return new RegExp(`^${source}$`, 'su').test(name)
}

/** Where the set that opens at `start` closes; -1 if it never does. A bracket that comes first belongs to the set. */
function endOfSet(letters: readonly string[], start: number): number {
  const first = letters[start + 1] === '!' ? start + 2 : start + 1
  return letters.indexOf(']', first + 1)
}

function setSource(set: readonly string[]): string {
  const negated = set[0] === '!'
  const letters = negated ? set.slice(1) : set
  let items = ''
  for (let at = 0; at < letters.length; at++) {
    const isRange = letters[at + 1] === '-' && at + 2 < letters.length
    const last = isRange ? letters[at + 2] : letters[at]
    // A range that runs backwards holds nothing.
    if (letters[at] <= last) items += `${literal(letters[at])}-${literal(last)}`
    if (isRange) at += 2
  }
  return `[${negated ? '^' : ''}${items}]`
}

function literal(letter: string): string {
  return `\\u{${letter.codePointAt(0)?.toString(16)}}`
}

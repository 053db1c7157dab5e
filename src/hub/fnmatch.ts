/**
 * Does as Python's `fnmatch`, by which Birder filters names: `*`, `?`, `[abc]`, `[a-z]` and `[!abc]` are
 * matched to the whole name.
 */
export function fnmatch(name: string, pattern: string): boolean {
  const letters = [...pattern]
  let source = ''
  let setEnd = -1
  for (const [at, letter] of letters.entries()) {
    if (at <= setEnd) continue
    const end = letter === '[' ? endOfSet(letters, at) : -1
    if (end > 0) {
      source += setSource(letters.slice(at + 1, end))
      setEnd = end
    } else source += letter === '*' ? '.*' : letter === '?' ? '.' : literal(letter)
  }
  return new RegExp(`^${source}$`, 'su').test(name)
}

/**
 * Finds where the set that opens at `start` closes; -1 if it never does. A bracket that comes first belongs
 * to the set.
 */
function endOfSet(letters: readonly string[], start: number): number {
  const first = letters[start + 1] === '!' ? start + 2 : start + 1
  return letters.indexOf(']', first + 1)
}

function setSource(set: readonly string[]): string {
  const negated = set[0] === '!'
  const letters = negated ? set.slice(1) : set
  let items = ''
  let rangeEnd = -1
  for (const [at, first] of letters.entries()) {
    if (at <= rangeEnd) continue
    const last = letters[at + 1] === '-' ? letters[at + 2] : undefined
    if (last !== undefined) rangeEnd = at + 2
    // A range that runs backwards holds nothing.
    if (first <= (last ?? first)) items += `${literal(first)}-${literal(last ?? first)}`
  }
  return `[${negated ? '^' : ''}${items}]`
}

function literal(letter: string): string {
  return `\\u{${letter.codePointAt(0)?.toString(16)}}`
}

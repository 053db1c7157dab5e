/** Holds texts against patterns of SQL: `%` stands for any letters, also none, `_` for one. */

export type PatternPart = { readonly any: true } | { readonly any: false; readonly letter: string | null }

/** Tells whether the whole text is as the pattern says. */
export function isLike(text: string, pattern: string, ignoresCase: boolean): boolean {
  const fold = ignoresCase ? folded : (letter: string) => letter
  const letters = Array.from(text, fold)
  const parts = patternParts(pattern).map((part) =>
    part.any || part.letter === null ? part : { ...part, letter: fold(part.letter) },
  )
  let [at, part] = [0, 0]
  /** Is where to go on when the letters behind the last `%` turn out not to fit. */
  let back: { readonly part: number; at: number } | null = null
  while (at < letters.length) {
    const now = parts[part]
    if (now?.any) back = { part: ++part, at }
    else if (now !== undefined && (now.letter === null || now.letter === letters[at])) {
      at++
      part++
    } else if (back !== null) {
      // One letter more belongs to the `%`: no earlier one needs to be tried again, so that the time is bounded by the product of both lengths.
      at = ++back.at
      part = back.part
    } else return false
  }
  return parts.slice(part).every(({ any }) => any)
}

/** Tells whether each backslash stands before what it can stand before. */
export function isPattern(pattern: string): boolean {
  return /^(?:[^\\]|\\[\\%_])*$/su.test(pattern)
}

/** Takes a pattern apart: any letters, one letter, or this one. */
export function patternParts(pattern: string): readonly PatternPart[] {
  const found = pattern.match(/\\[\\%_]|./gsu) ?? []
  return found.map((token): PatternPart => {
    if (token === '%') return { any: true }
    return { any: false, letter: token === '_' ? null : (Array.from(token).at(-1) ?? null) }
  })
}

/** Gives letters the same form that differ only in case, one by one. */
function folded(letter: string): string {
  const upper = letter.toUpperCase()
  const lower = (isOne(upper) ? upper : letter).toLowerCase()
  return isOne(lower) ? lower : letter
}

function isOne(letters: string): boolean {
  return Array.from(letters).length === 1
}

/** No letter beyond it has a case. */
const LAST_CASED = 0x1ffff

let alike: ReadonlyMap<string, readonly string[]> | undefined

/** Gives the letters that differ from this one only in case, and itself. */
export function lettersLike(letter: string): readonly string[] {
  alike ??= allAlike()
  return alike.get(folded(letter)) ?? [letter]
}

function allAlike(): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>()
  for (let code = 0; code <= LAST_CASED; code++) {
    const letter = String.fromCodePoint(code)
    const form = folded(letter)
    if (form === letter) continue
    const letters = found.get(form)
    if (letters === undefined) found.set(form, [form, letter])
    else letters.push(letter)
  }
  return found
}

/** Cuts what lies between two keys, by the letters that keys were seen to be made of, so that a cut falls among keys and not far from all. */
import { compareNames } from '../../../../compare-names.js'

/**
 * Gives a text between the two, in the order of UTF-8 bytes, or null where none is found.
 *
 * @param letters are code points in that order
 * @param until undefined: all that begin as the first `start` letters of `after` do
 */
export function keyBetween(
  letters: readonly string[],
  start: number,
  after: string,
  until: string | undefined,
): string | null {
  const from = [...after]
  const to = until === undefined ? null : [...until]
  let at = start
  while (to !== null && at < to.length && from[at] === to[at]) at++
  const common = from.slice(0, at).join('')
  const low = from[at]
  const high = to?.[at]
  const middle = middleLetter(letters, low, high)
  if (middle !== null) return strictly(after, common + middle, until)
  // Two letters that are neighbours: one side is what begins with the second, the other what begins with the first.
  if (high !== undefined && (to?.length ?? 0) > at + 1) return strictly(after, common + high, until)
  for (let deep = at + 1; low !== undefined && deep < from.length; deep++) {
    const letter = middleLetter(letters, from[deep], undefined)
    if (letter !== null) return strictly(after, from.slice(0, deep).join('') + letter, until)
  }
  return null
}

/** Gives the letter in the middle of those between two; none before the first, or after the last, where that is undefined. */
function middleLetter(
  letters: readonly string[],
  low: string | undefined,
  high: string | undefined,
): string | null {
  const between = letters.filter(
    (letter) =>
      (low === undefined || compareNames(letter, low) > 0) &&
      (high === undefined || compareNames(letter, high) < 0),
  )
  return between[between.length >> 1] ?? null
}

function strictly(after: string, key: string, until: string | undefined): string | null {
  const isBetween = compareNames(key, after) > 0 && (until === undefined || compareNames(key, until) < 0)
  return isBetween ? key : null
}

/** Finds the known names that a mistyped one may have meant. */

/** Gives the `count` candidates with the fewest edits (insert, delete, replace a letter), nearest first, none of more edits than `atMost`. */
export function nearestNames(
  name: string,
  candidates: readonly string[],
  count = 3,
  atMost = Number.POSITIVE_INFINITY,
): readonly string[] {
  return candidates
    .map((candidate) => ({ candidate, distance: editDistance(name, candidate) }))
    .filter(({ distance }) => distance <= atMost)
    .sort((a, b) => a.distance - b.distance)
    .slice(0, count)
    .map(({ candidate }) => candidate)
}

/** Computes Levenshtein's distance, a row of the table at a time. */
export function editDistance(a: string, b: string): number {
  const letters = b.split('')
  // A row holds, for each beginning of b, the distance to the letters of a so far; `last` is that to the whole of b.
  let row = letters.map((_, j) => j + 1)
  let last = letters.length
  for (const [i, letter] of a.split('').entries()) {
    let diagonal = i
    let left = i + 1
    const above = row
    row = []
    for (const [j, distance] of above.entries()) {
      const replaced = diagonal + (letter === letters[j] ? 0 : 1)
      left = Math.min(replaced, distance + 1, left + 1)
      row.push(left)
      diagonal = distance
    }
    last = left
  }
  return last
}

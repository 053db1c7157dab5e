/** Says how well two groupings of the same rows agree. */

/**
 * Computes the adjusted Rand index (Hubert and Arabie 1985): 1 for the same groups under whatever numbers, about 0 for groups that have nothing to do with each
 * other. Each number is a group, -1 too. Throws RangeError for lists of different lengths.
 */
export function adjustedRandIndex(first: Int32Array, second: Int32Array): number {
  if (first.length !== second.length)
    throw new RangeError(`${first.length} and ${second.length} rows are not the same ones.`)
  const [a, b, both] = [countsOf(first), countsOf(second), sharedRows(first, second)]
  const together = pairsOf(both.map(({ rows }) => rows))
  const [inFirst, inSecond] = [pairsOf(a.values()), pairsOf(b.values())]
  const all = (first.length * (first.length - 1)) / 2
  const expected = all === 0 ? 0 : (inFirst * inSecond) / all
  const most = (inFirst + inSecond) / 2
  return most === expected ? 1 : (together - expected) / (most - expected)
}

/** Is how many rows a group of one grouping and one of another share. */
export interface Shared {
  readonly first: number
  readonly second: number
  readonly rows: number
}

export function sharedRows(first: Int32Array, second: Int32Array): Shared[] {
  const found = new Map<number, Map<number, number>>()
  for (let row = 0; row < first.length; row++) {
    const own = found.get(first[row]) ?? new Map<number, number>()
    found.set(first[row], own.set(second[row], (own.get(second[row]) ?? 0) + 1))
  }
  return [...found].flatMap(([a, own]) => [...own].map(([b, rows]) => ({ first: a, second: b, rows })))
}

function countsOf(labels: Int32Array): Map<number, number> {
  const counts = new Map<number, number>()
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1)
  return counts
}

function pairsOf(counts: Iterable<number>): number {
  let pairs = 0
  for (const count of counts) pairs += (count * (count - 1)) / 2
  return pairs
}

/** Takes out of attention maps what a picture shows: how much one token looks at each patch, by one head or all of them. */
import type { AttentionMap } from '../encoder/types.js'

/**
 * Gives how much a token looks at each patch, [rows * columns]. What it gives to class token and registers is not in it, so that the values sum to 1 or less.
 *
 * @param row numbers the token among the map's `rows`
 * @param head numbers one of the heads that are in the map, or is `mean`, of all of them
 * @throws RangeError for a row or a head that is not there
 */
export function attentionValues(
  { headCount, rows, toPatches }: AttentionMap,
  row = 0,
  head: number | 'mean' = 'mean',
): Float32Array {
  const has = (number: number, count: number) => Number.isInteger(number) && number >= 0 && number < count
  if (!has(row, rows.length))
    throw new RangeError(`This map has ${rows.length} rows, numbered from 0: there is no row ${row}.`)
  if (head !== 'mean' && !has(head, headCount))
    throw new RangeError(`This map has ${headCount} heads, numbered from 0: there is no head ${head}.`)
  const width = toPatches.length / (headCount * rows.length)
  const of = (number: number) => {
    const from = (number * rows.length + row) * width
    return toPatches.subarray(from, from + width)
  }
  if (head !== 'mean') return of(head).slice()
  const sums = new Float64Array(width)
  for (let number = 0; number < headCount; number++)
    for (const [patch, value] of of(number).entries()) sums[patch] = (sums[patch] ?? 0) + value
  return Float32Array.from(sums, (sum) => sum / headCount)
}

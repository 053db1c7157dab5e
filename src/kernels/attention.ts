/**
 * Computes scaled dot-product attention of queries over keys and values, head by head.
 *
 *     out[q, h] = softmax over n of (scale * <query[q, h], key[n, h]> + bias) applied to value[n, h]
 *
 * Rows may be wider than the part in use (q, k and v lie side by side in one matrix): a view says where the part begins.
 * Heads are the outer division of a row, as PyTorch's reshape makes them.
 */
import { softmax } from './softmax.js'

/** Shows columns [offset, offset + heads * headWidth) of a matrix whose rows are `stride` numbers apart. */
export interface Columns {
  readonly data: Float32Array
  readonly rows: number
  readonly stride: number
  readonly offset: number
}

/** Adds a bias to the scores of one query of one head, or takes keys out by making their scores minus infinity. */
export type ChangeScores = (scores: Float64Array, head: number, query: number) => void

export function attention(
  query: Columns,
  key: Columns,
  value: Columns,
  heads: number,
  headWidth: number,
  scale: number,
  out: Float32Array, // [query.rows, heads * headWidth]
  change: ChangeScores | null = null,
): void {
  const scores = new Float64Array(key.rows)
  const mixed = new Float64Array(headWidth)
  for (let h = 0; h < heads; h++) {
    const column = h * headWidth
    for (let q = 0; q < query.rows; q++) {
      weighKeys(query, key, h, headWidth, scale, q, scores, change)
      mixed.fill(0)
      for (let n = 0; n < value.rows; n++) {
        const at = value.offset + n * value.stride + column
        for (let j = 0; j < headWidth; j++) mixed[j] += scores[n] * value.data[at + j]
      }
      out.set(mixed, q * heads * headWidth + column)
    }
  }
}

/** Fills `scores` with what a query of one head weighs the values by: the softmax of its scaled products with all keys. */
export function weighKeys(
  query: Columns,
  key: Columns,
  head: number,
  headWidth: number,
  scale: number,
  row: number,
  scores: Float64Array, // [key.rows]
  change: ChangeScores | null,
): void {
  const from = query.offset + row * query.stride + head * headWidth
  for (let n = 0; n < key.rows; n++) {
    const at = key.offset + n * key.stride + head * headWidth
    let sum = 0
    for (let j = 0; j < headWidth; j++) sum += query.data[from + j] * key.data[at + j]
    scores[n] = sum * scale
  }
  change?.(scores, head, row)
  softmax(scores)
}

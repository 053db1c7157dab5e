/**
 * Finds the rows nearest to a query among many that are stored narrowly: in float16, or in bytes with a scale for each row. Rows come in blocks of bytes,
 * as they lie in memory or in a file. The plain way here is what others are checked against.
 */
import { float16ToFloat32 } from '../tensor/float16.js'
import { type ProductOptions, productOptions } from './products.js'

/** Holds rows [N, D], one behind the other. */
export type StoredRows =
  | {
      /** Says that each number is an IEEE half, of two bytes, the lower one first. */
      readonly dtype: 'F16'
      /** Is N * D * 2 bytes; a row may begin at any of them. */
      readonly bytes: Uint8Array
    }
  | {
      /** Says that each number is a byte from -127 to 127, times the scale of its row. */
      readonly dtype: 'I8'
      /** Is N * D bytes. */
      readonly bytes: Uint8Array
      /** [N] */
      readonly scales: Float32Array
    }

/** Lists rows, nearest first; of equal scores the earlier row. */
export interface NearestRows {
  /** [K] Counts the rows in front of it, in all blocks. */
  readonly rows: Float64Array
  /** [K] Is its product with the query: the cosine, where both have length 1. */
  readonly scores: Float32Array
}

/** Finds nearest rows. */
export interface RowScorer {
  /**
   * Gives the `count` rows whose products with `query` [D] are largest; all of them where there are fewer. All blocks have one dtype. Bytes are read until the
   * promise settles. In bytes all is computed in whole numbers but the scales, so that everybody gets the very same scores; a query is rounded to 15 bits for
   * it. Throws RangeError for a part of a row, for blocks of two dtypes, where there are no rows, and for a score that is not finite; the signal's reason.
   */
  nearestRows(
    query: Float32Array,
    blocks: readonly StoredRows[],
    count: number,
    options?: ProductOptions,
  ): Promise<NearestRows>
}

/** Is a query as it is multiplied with bytes. */
export interface NarrowQuery {
  /** [D] Whole numbers up to 16,256, which is 127 * 128. */
  readonly values: Int16Array
  /** Makes numbers of them. */
  readonly scale: number
}

const LARGEST = 127 * 128

/** Rounds a query to 15 bits. Throws RangeError where a number is not finite. */
export function narrowQuery(query: Float32Array): NarrowQuery {
  let largest = 0
  for (const value of query) largest = Math.max(largest, Math.abs(value))
  checkFinite(largest, 'The query')
  const scale = Math.fround(largest / LARGEST)
  const most = scale > 0 ? 1 / scale : 0
  return {
    values: Int16Array.from(query, (v) => Math.max(-LARGEST, Math.min(LARGEST, Math.round(v * most)))),
    scale,
  }
}

/** Scores in plain loops on the calling thread, with sums in float64. */
export const plainScorer: RowScorer = {
  async nearestRows(query, blocks, count, options) {
    const { signal } = productOptions(options)
    const total = checkStored(blocks, query.length, count)
    const scoreRows = blocks[0].dtype === 'F16' ? halfScores(query) : byteScores(query)
    const found = new Float32Array(total)
    let first = 0
    for (const block of blocks) {
      signal?.throwIfAborted()
      first += scoreRows(block, found.subarray(first))
    }
    const bad = found.findIndex((score) => !Number.isFinite(score))
    if (bad >= 0) throw notFinite(bad)
    const order = Array.from({ length: total }, (_, row) => row)
    order.sort((a, b) => found[b] - found[a] || a - b)
    const rows = Float64Array.from(order.slice(0, count))
    return { rows, scores: Float32Array.from(rows, (row) => found[row]) }
  },
}

/** Counts the rows of all blocks. Throws RangeError for what `RowScorer` refuses. */
export function checkStored(blocks: readonly StoredRows[], width: number, count: number): number {
  if (!(Number.isInteger(count) && count >= 1)) throw new RangeError(`There are no ${count} nearest rows.`)
  if (width === 0) throw new RangeError('A query of no numbers is near to nothing.')
  let total = 0
  for (const block of blocks) {
    if (block.dtype !== blocks[0].dtype)
      throw new RangeError(
        `Rows in ${blocks[0].dtype} and in ${block.dtype} are not looked through together.`,
      )
    const rowBytes = width * (block.dtype === 'F16' ? 2 : 1)
    const rows = block.bytes.length / rowBytes
    if (!Number.isInteger(rows))
      throw new RangeError(`${block.bytes.length} bytes are no rows of ${width} numbers in ${block.dtype}.`)
    if (block.dtype === 'I8' && block.scales.length !== rows)
      throw new RangeError(`${rows} rows have ${rows} scales, not ${block.scales.length}.`)
    total += rows
  }
  if (total === 0) throw new RangeError('There are no rows to look through.')
  return total
}

/** Is thrown for a row whose score is not finite. */
export function notFinite(row: number): RangeError {
  return new RangeError(
    `Row ${row} has no finite score: it holds an infinity or a NaN, or its numbers are too large.`,
  )
}

function checkFinite(largest: number, what: string): void {
  if (!Number.isFinite(largest)) throw new RangeError(`${what} holds an infinity or a NaN.`)
}

/** Writes the scores of a block's rows, and gives their number. */
type ScoreRows = (block: StoredRows, out: Float32Array) => number

function halfScores(query: Float32Array): ScoreRows {
  const width = query.length
  const row = new Float32Array(width)
  const bits = new Uint16Array(width)
  return ({ bytes }, out) => {
    const count = bytes.length / (2 * width)
    for (let r = 0; r < count; r++) {
      for (let i = 0, at = 2 * r * width; i < width; i++, at += 2) bits[i] = bytes[at] | (bytes[at + 1] << 8)
      float16ToFloat32(bits, row)
      let sum = 0
      for (let i = 0; i < width; i++) sum += row[i] * query[i]
      out[r] = sum
    }
    return count
  }
}

function byteScores(query: Float32Array): ScoreRows {
  const { values, scale } = narrowQuery(query)
  const width = values.length
  return (block, out) => {
    const { bytes } = block
    const scales = block.dtype === 'I8' ? block.scales : new Float32Array()
    const count = bytes.length / width
    for (let r = 0; r < count; r++) {
      let sum = 0
      for (let i = 0; i < width; i++) sum += ((bytes[r * width + i] << 24) >> 24) * values[i]
      out[r] = sum * (scale * scales[r])
    }
    return count
  }
}

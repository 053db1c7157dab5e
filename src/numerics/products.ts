/**
 * Is what is heavy in the mathematics of features: products over many rows. Whoever computes is handed one of these; the plain one here is what all
 * others are checked against.
 */

import { checkOptionNames, type OptionNames } from '../check-option-names.js'

/** Says when to give up. */
export interface ProductOptions {
  /** Ends the work, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

const PRODUCT_OPTIONS = { signal: true } satisfies OptionNames<ProductOptions>

/** Gives back the options of a product. Throws RangeError for one that there is not. */
export function productOptions(options: ProductOptions = {}): ProductOptions {
  checkOptionNames(options, PRODUCT_OPTIONS)
  return options
}

/** Holds the sums of products of columns, of rows without their mean. */
export interface Gram {
  /** [D] */
  readonly mean: Float64Array
  /** [D, D], symmetric: over all rows, the sum of (row - mean) times (row - mean). */
  readonly sums: Float64Array
}

/**
 * Computes products over rows of features. Rows lie in blocks [N, D], one for each photo, say; they are read until the promise settles. The same rows give the
 * same numbers, whatever the threads.
 */
export interface Products {
  /**
   * Computes the Gram matrix of the centred rows. The mean is taken off before anything is multiplied, so that a large one costs no digits. Throws RangeError
   * without rows or for a part of one; the signal's reason.
   */
  gram(blocks: readonly Float32Array[], width: number, options?: ProductOptions): Promise<Gram>
  /** Computes the mean of the rows, [D]. Throws as `gram`. */
  mean(blocks: readonly Float32Array[], width: number, options?: ProductOptions): Promise<Float64Array>
  /**
   * Multiplies the Gram matrix of the rows without `mean` by each vector of `basis` [K, D], into [K, D], without making it: for rows so wide that it
   * would be too large. Throws as `gram`.
   */
  gramTimes(
    blocks: readonly Float32Array[],
    mean: Float64Array,
    basis: Float64Array,
    options?: ProductOptions,
  ): Promise<Float64Array>
  /** Multiplies every query [Q, D] with every row [N, D], into [Q, N]. Where all of them have length 1, these are cosines. Throws as `gram`. */
  similarity(
    queries: Float32Array,
    rows: Float32Array,
    width: number,
    options?: ProductOptions,
  ): Promise<Float32Array>
}

/** Computes in plain loops on the calling thread, with sums in float64. */
export const plainProducts: Products = {
  async gram(blocks, width, options) {
    const { signal } = productOptions(options)
    const mean = await plainProducts.mean(blocks, width, { signal })
    const sums = new Float64Array(width * width)
    eachCentredRow(blocks, mean, signal, (row) => {
      for (let i = 0; i < width; i++) {
        const value = row[i]
        for (let j = i; j < width; j++) sums[i * width + j] += value * row[j]
      }
    })
    for (let i = 0; i < width; i++) for (let j = 0; j < i; j++) sums[i * width + j] = sums[j * width + i]
    return { mean, sums }
  },

  async mean(blocks, width, options) {
    const { signal } = productOptions(options)
    const count = checkRows(blocks, width)
    const mean = new Float64Array(width)
    eachRow(blocks, width, signal, (block, at) => {
      for (let i = 0; i < width; i++) mean[i] += block[at + i]
    })
    return mean.map((sum) => sum / count)
  },

  async gramTimes(blocks, mean, basis, options) {
    const { signal } = productOptions(options)
    const width = mean.length
    checkRows(blocks, width)
    checkRows([basis], width)
    const out = new Float64Array(basis.length)
    eachCentredRow(blocks, mean, signal, (row) => {
      for (let at = 0; at < basis.length; at += width) {
        let along = 0
        for (let i = 0; i < width; i++) along += row[i] * basis[at + i]
        for (let i = 0; i < width; i++) out[at + i] += along * row[i]
      }
    })
    return out
  },

  async similarity(queries, rows, width, options) {
    const { signal } = productOptions(options)
    const queryCount = checkRows([queries], width)
    const rowCount = checkRows([rows], width)
    const out = new Float32Array(queryCount * rowCount)
    for (let q = 0; q < queryCount; q++) {
      signal?.throwIfAborted()
      for (let row = 0; row < rowCount; row++) {
        let sum = 0
        for (let i = 0; i < width; i++) sum += queries[q * width + i] * rows[row * width + i]
        out[q * rowCount + row] = sum
      }
    }
    return out
  },
}

/** Counts the rows of all blocks. Throws RangeError for a width that is none, for a part of a row, and where there are no rows. */
export function checkRows(blocks: readonly ArrayLike<number>[], width: number): number {
  if (!(Number.isInteger(width) && width > 0)) throw new RangeError(`Rows have no ${width} numbers.`)
  let count = 0
  for (const { length } of blocks) {
    if (length % width !== 0) throw new RangeError(`${length} numbers are no rows of ${width}.`)
    count += length / width
  }
  if (count === 0) throw new RangeError(`There are no rows of ${width} numbers.`)
  return count
}

function eachCentredRow(
  blocks: readonly Float32Array[],
  mean: Float64Array,
  signal: AbortSignal | undefined,
  visit: (row: Float64Array) => void,
): void {
  const width = mean.length
  const row = new Float64Array(width)
  eachRow(blocks, width, signal, (block, at) => {
    for (let i = 0; i < width; i++) row[i] = block[at + i] - mean[i]
    visit(row)
  })
}

function eachRow(
  blocks: readonly Float32Array[],
  width: number,
  signal: AbortSignal | undefined,
  visit: (block: Float32Array, at: number) => void,
): void {
  for (const block of blocks) {
    signal?.throwIfAborted()
    for (let at = 0; at < block.length; at += width) visit(block, at)
  }
}

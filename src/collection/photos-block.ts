/** Makes rows of photos as they are kept: embeddings of length 1, narrowed as the collection has them, with the length that they had beside them. */
import { toHalf } from '../tensor/float16.js'
import { blockOf, type Row, type RowBlock } from './row-block.js'
import type { About } from './store.js'

/** Is a photo that is to be kept. */
export interface KeptPhoto {
  /** Has values of the photo's columns; those that are not named have none. */
  readonly row: Row
  /** [D] Is the embedding as the model gave it, of any length; null for a photo that has none. */
  readonly embedding: Float32Array | null
}

/**
 * Puts photos into a block. A row that says how long its embedding was (`norm`) is believed. Throws RangeError for an embedding of another width, and for one
 * without length.
 */
export function photosBlock(
  photos: readonly KeptPhoto[],
  columns: readonly string[],
  { width, dtype }: Pick<About, 'width' | 'dtype'>,
): RowBlock {
  const joined = new Float32Array(photos.length * width)
  const rows = photos.map(({ row, embedding }, at) => {
    if (embedding === null) return { ...row, norm: null }
    if (embedding.length !== width)
      throw new RangeError(`An embedding has ${embedding.length} numbers, expected ${width}.`)
    const length = lengthOf(embedding)
    if (!(length > 0 && Number.isFinite(length)))
      throw new RangeError(`An embedding of length ${length} has no direction to be compared.`)
    for (const [i, value] of embedding.entries()) joined[at * width + i] = value / length
    return { ...row, norm: row.norm ?? length }
  })
  return blockOf(rows, columns, dtype === 'float16' ? toHalf(joined) : joined)
}

function lengthOf(vector: Float32Array): number {
  let sum = 0
  for (const value of vector) sum += value * value
  return Math.sqrt(sum)
}

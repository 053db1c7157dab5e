/** Finds where in an image something looks like a given patch: the same thing often has nearly the same features in another photo. */
import { cosineSimilarity } from '../numerics/cosine-similarity.js'
import type { PatchMap } from './patch-colors.js'

/** Gives the features of one patch, [D], as a view. Throws RangeError outside the grid. */
export function patchAt({ patches, grid }: PatchMap, row: number, column: number): Float32Array {
  const { rows, columns } = grid
  if (!(row >= 0 && row < rows && column >= 0 && column < columns))
    throw new RangeError(`There is no patch (${row}, ${column}) in a grid of ${rows} x ${columns}.`)
  const width = patches.length / (rows * columns)
  const patch = row * columns + column
  return patches.subarray(patch * width, (patch + 1) * width)
}

/** Computes the cosine similarity of every patch to `query` [D], from -1 to 1, into [rows * columns], row by row. */
export function patchSimilarity(query: Float32Array, { patches, grid }: PatchMap): Float32Array {
  const count = grid.rows * grid.columns
  const width = patches.length / count
  return Float32Array.from({ length: count }, (_, patch) =>
    cosineSimilarity(query, patches.subarray(patch * width, (patch + 1) * width)),
  )
}

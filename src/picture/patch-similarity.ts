/** Finds where in photos something looks like a given place: the same thing often has nearly the same features in another photo. */
import { checkOptionNames, type OptionNames } from '../check-option-names.js'
import { cosineSimilarity } from '../numerics/cosine-similarity.js'
import { rowLengths, unitRows } from '../numerics/lengths.js'
import { type ProductOptions, type Products, plainProducts } from '../numerics/products.js'
import { commonOf, type PatchMap, widthOf } from './patch-map.js'
import { PictureError } from './picture-error.js'

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

/**
 * Gives what patches have in common: the direction of the sum of their directions, [D], of length 1. `patchesAt` gives the patches of a point, a box or a mask.
 * Throws `PictureError` `nothing-there` without patches, or where they cancel out, and `outside` for one that the grid does not have.
 */
export function commonDirection(map: PatchMap, patches: readonly number[]): Float32Array {
  const width = widthOf(map)
  const sum = new Float32Array(width)
  for (const patch of patches) {
    const row = patch >= 0 ? map.patches.subarray(patch * width, (patch + 1) * width) : new Float32Array()
    if (row.length !== width)
      throw new PictureError(
        'outside',
        `There is no patch ${patch} in a grid of ${map.grid.rows} x ${map.grid.columns}.`,
      )
    for (const [i, value] of unitRows(row, width).entries()) sum[i] = (sum[i] ?? 0) + value
  }
  const direction = unitRows(sum, width)
  if (direction.every((value) => value === 0))
    throw new PictureError('nothing-there', 'These patches have no direction in common.')
  return direction
}

/** Says who computes. */
export interface SimilarityOptions extends ProductOptions {
  /** Computes products; default: in plain loops. */
  readonly products?: Products | undefined
}

const SIMILARITY_OPTIONS = { products: true, signal: true } satisfies OptionNames<SimilarityOptions>

/**
 * Computes the cosine similarity of every patch of several photos to `query` [D], of any length, into [rows * columns] for each photo. Throws `PictureError`:
 * `nothing-there`, `mixed-models`; the signal's reason.
 */
export async function similarPatches(
  query: Float32Array,
  maps: readonly PatchMap[],
  options: SimilarityOptions = {},
): Promise<readonly Float32Array[]> {
  checkOptionNames(options, SIMILARITY_OPTIONS)
  const { products = plainProducts, signal } = options
  const { width } = commonOf(maps)
  if (query.length !== width)
    throw new PictureError(
      'mixed-models',
      `A query of ${query.length} numbers does not compare with patches of ${width}.`,
    )
  const unit = unitRows(query, width)
  const found: Float32Array[] = []
  for (const { patches } of maps) {
    const lengths = rowLengths(patches, width)
    const alongs = await products.similarity(unit, patches, width, { signal })
    found.push(alongs.map((along, patch) => cosineOf(along, lengths[patch] ?? 0)))
  }
  return found
}

/** A row of zeros is like nothing; rounding leaves some cosines a little beyond 1. */
function cosineOf(along: number, length: number): number {
  return length > 0 ? Math.max(-1, Math.min(1, along / length)) : 0
}

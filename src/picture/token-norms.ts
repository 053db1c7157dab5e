/**
 * Measures how long patch tokens are: networks without registers keep notes in a few patches of plain background, which become many times as long as
 * others (Darcet et al., Vision transformers need registers, 2024). Take tokens before the final norm, which makes lengths alike.
 */
import { rowLengths } from '../numerics/lengths.js'
import { type PatchMap, widthOf } from './patch-map.js'

/** Holds the lengths of the tokens of one photo. */
export interface TokenNorms {
  /** float32 [rows * columns] */
  readonly norms: Float32Array
  /** Is the median: of an even number the upper of the middle two. */
  readonly median: number
  /** [rows * columns] Is 1 for tokens more than twice as long as the median, else 0. The paper draws its line by hand, for one network; this one is ours. */
  readonly outliers: Uint8Array
}

const OUTLIER = 2

/** Measures the tokens of one photo. */
export function tokenNorms(map: PatchMap): TokenNorms {
  return normsOf(rowLengths(map.patches, widthOf(map)))
}

/** Tells which lengths of the tokens of a photo stand out. */
export function normsOf(norms: Float32Array): TokenNorms {
  const median = norms.slice().sort()[Math.floor(norms.length / 2)] ?? 0
  return { norms, median, outliers: Uint8Array.from(norms, (norm) => (norm > OUTLIER * median ? 1 : 0)) }
}

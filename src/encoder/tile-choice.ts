/** Holds what can be chosen about tiles, apart from what computes. */
import type { Directions } from '../numerics/projections.js'

/** Lists the ways in which patches that several tiles have seen become one. */
export const TILE_BLENDS = ['feathered', 'cut'] as const
/**
 * Names a way in which patches that several tiles have seen become one.
 *
 * - `feathered`: their mean, in which each tile's weight falls linearly towards its edge, so that one tile passes into the next.
 * - `cut`: that of the tile whose middle is nearest, which leaves seams.
 */
export type TileBlend = (typeof TILE_BLENDS)[number]

/** Says how an image is cut into tiles, each of which is encoded by itself, and what is kept of their patches. */
export interface TileChoice {
  /**
   * Is a tile's size in pixels, one side or (height, width), in whole patches; default: the encoder's `size`, which is the trained one where images keep their own.
   */
  readonly size?: number | readonly [height: number, width: number]
  /**
   * Is the least that neighbours overlap by, in pixels, in whole patches and less than a tile's shorter side; default: a quarter of that side.
   */
  readonly overlap?: number
  /** Says how patches that several tiles have seen become one; default `feathered`. */
  readonly blend?: TileBlend
  /**
   * Says what is kept of each patch: its D numbers as `float32` (default) or as `float16`, in half the memory, or where it lies along K directions (`mean` [D] is
   * subtracted before), in K float32. It is done as tiles are ready, so that D float32 of all patches are in memory only where they are what is kept.
   */
  readonly keep?: 'float32' | 'float16' | Directions
  /** Bounds the bytes of the map that is kept: a larger one is refused before anything is computed. Default: 1 GiB. */
  readonly maxBytes?: number
}

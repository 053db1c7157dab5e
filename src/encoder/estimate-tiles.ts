/** Estimates what an image takes that is encoded in tiles, before any of it is there. */
import { cutGrid, keptBytes, type SettledTiles } from './tiles.js'

/** Says what tiles of an image take. */
export interface TilesEstimate {
  /** Counts the tiles from top to bottom and from left to right. */
  readonly tiles: readonly [rows: number, columns: number]
  /** Counts the patches of the whole image from top to bottom and from left to right. */
  readonly patches: readonly [rows: number, columns: number]
  /** Counts the bytes of the map that is kept. */
  readonly map: number
  /** Counts the bytes of the image's levels, and of a row of tiles whose patches are summed up, as float32. */
  readonly working: number
}

/**
 * Says what an image of this size as model input takes in tiles, beside the weights and the activations of a tile.
 *
 * @param width is D
 */
export function estimateTiles(
  [height, width]: readonly [height: number, width: number],
  tiles: SettledTiles,
  { patchSize, width: numbers }: { readonly patchSize: number; readonly width: number },
): TilesEstimate {
  const grid = { rows: Math.round(height / patchSize), columns: Math.round(width / patchSize) }
  const { down, across } = cutGrid(grid, tiles, patchSize)
  return {
    tiles: [down.starts.length, across.starts.length],
    patches: [grid.rows, grid.columns],
    map: keptBytes(grid, tiles, numbers),
    working: 3 * height * width + 4 * down.length * grid.columns * numbers,
  }
}

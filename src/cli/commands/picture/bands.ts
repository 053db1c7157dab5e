/**
 * Goes through the patches of a photo some rows at a time, so that a large map, which is kept in halves, is never whole in float32. A photo that was encoded as one
 * is one band.
 */
import type { RgbImage } from '../../../image/image.js'
import type { PatchMap } from '../../../picture/patch-map.js'
import { concatenate } from '../../../tensor/concatenate.js'
import type { SeenPhoto } from './make-picture.js'

/** A band has about so many numbers. */
const BAND_NUMBERS = 2 ** 21

export function* bandsOf(
  features: SeenPhoto,
  of: 'patches' | 'preNorm' = 'patches',
): Generator<PatchMap, void, undefined> {
  const { tiled, grid, identity } = features
  if (tiled === undefined) {
    const { [of]: patches } = features
    if (patches === undefined) throw new Error(`the encoder was not asked for ${of}`)
    yield { patches, grid, identity }
    return
  }
  const step = Math.max(1, Math.floor(BAND_NUMBERS / (grid.columns * tiled.patchWidth)))
  for (let row = 0; row < grid.rows; row += step) yield tiled.band(row, Math.min(grid.rows, row + step), of)
}

/** Gives what is found in each band, one behind the other. */
export async function foundInBands(
  features: SeenPhoto,
  find: (band: PatchMap) => Promise<Float32Array>,
): Promise<Float32Array> {
  const found: Float32Array[] = []
  for (const band of bandsOf(features)) found.push(await find(band))
  return concatenate(found)
}

/** Puts pictures with a pixel for each patch of a band below each other. */
export function drawnInBands(features: SeenPhoto, draw: (band: PatchMap) => RgbImage): RgbImage {
  const { rows, columns } = features.grid
  const data = new Uint8Array(rows * columns * 3)
  let at = 0
  for (const band of bandsOf(features)) {
    const drawn = draw(band)
    data.set(drawn.data, at)
    at += drawn.data.length
  }
  return { height: rows, width: columns, data }
}

/** Makes a map of patches of a photo, in a row. */
export function rowOf(features: SeenPhoto, patches: readonly number[]): PatchMap {
  const { tiled, grid, identity } = features
  const width = tiled?.patchWidth ?? features.patches.length / (grid.rows * grid.columns)
  const found = new Float32Array(patches.length * width)
  let [row, own] = [0, tiled === undefined ? features.patches : tiled.band(0, 1).patches]
  for (const [to, patch] of patches.entries()) {
    const of = Math.floor(patch / grid.columns)
    // The patches of a place come row by row, and a row of a tiled map is made of halves each time.
    if (tiled !== undefined && of !== row) [row, own] = [of, tiled.band(of, of + 1).patches]
    const from = (tiled === undefined ? patch : patch % grid.columns) * width
    found.set(own.subarray(from, from + width), to * width)
  }
  return { patches: found, grid: { rows: 1, columns: patches.length }, identity }
}

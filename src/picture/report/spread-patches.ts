/** Takes some of many patches, as evenly spread over photos and places as they come. */
import { commonOf, type PatchMap } from '../patch-map.js'

export function patchCount({ grid }: PatchMap): number {
  return grid.rows * grid.columns
}

export interface SpreadPatches extends PatchMap {
  /** [columns] Counts for each patch those before it among all maps, one after the other. */
  readonly places: readonly number[]
}

/**
 * Copies at most so many patches of all maps into one row of patches; all of them where they are no more. Throws `PictureError` `nothing-there`,
 * `mixed-models`.
 */
export function spreadPatches(maps: readonly PatchMap[], most: number): SpreadPatches {
  const { width } = commonOf(maps)
  const total = maps.reduce((sum, map) => sum + patchCount(map), 0)
  const count = Math.min(total, most)
  const places = Array.from({ length: count }, (_, i) => Math.floor(((i + 0.5) * total) / count))
  const patches = new Float32Array(count * width)
  let taken = 0
  let before = 0
  for (const map of maps) {
    const end = before + patchCount(map)
    for (let place = places[taken]; place !== undefined && place < end; place = places[taken]) {
      const from = (place - before) * width
      patches.set(map.patches.subarray(from, from + width), taken++ * width)
    }
    before = end
  }
  return { patches, grid: { rows: 1, columns: count }, places }
}

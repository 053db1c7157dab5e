/** Takes some of many patches, as evenly spread over photos and places as they come. */
import type { PatchMap } from '../patch-colors.js'

export function patchCount({ grid }: PatchMap): number {
  return grid.rows * grid.columns
}

export function patchWidth(map: PatchMap): number {
  return map.patches.length / patchCount(map)
}

/**
 * Copies at most so many patches of all maps, [count, width]; all of them where they are no more. Throws RangeError where there are none, or of different
 * widths.
 */
export function spreadPatches(
  maps: readonly PatchMap[],
  most: number,
): { readonly patches: Float32Array; readonly width: number } {
  const [first] = maps
  const total = maps.reduce((sum, map) => sum + patchCount(map), 0)
  if (first === undefined || total === 0) throw new RangeError('There are no patches.')
  const width = patchWidth(first)
  const count = Math.min(total, most)
  const patches = new Float32Array(count * width)
  let taken = 0
  let before = 0
  for (const map of maps) {
    if (patchWidth(map) !== width)
      throw new RangeError(`Patches of ${width} and of ${patchWidth(map)} numbers cannot be compared.`)
    const end = before + patchCount(map)
    for (; taken < count; taken++) {
      const place = Math.floor(((taken + 0.5) * total) / count)
      if (place >= end) break
      const from = (place - before) * width
      patches.set(map.patches.subarray(from, from + width), taken * width)
    }
    before = end
  }
  return { patches, width }
}

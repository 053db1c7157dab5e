/**
 * Fits colours to the patches of all photos, off the page's thread. The background is cut away first, so that all colours are left to the things.
 * Likeness of patches becomes likeness of colours, which is what the space OKLab is made for.
 */
import { colorPatches, fitPatchColors, type PatchMap } from 'plumage'
import { foregroundShares } from './foreground.js'
import { colorOf } from './oklab.js'

export interface ColorRequest {
  readonly round: number
  readonly maps: readonly (PatchMap & { readonly id: number })[]
}

export interface ColorAnswer {
  readonly round: number
  /** Holds [rows * columns * 4], red, green, blue and how much of the patch belongs to things, for each photo by its number. */
  readonly colors: ReadonlyMap<number, Uint8Array>
}

const scope = self as unknown as DedicatedWorkerGlobalScope
scope.onmessage = async ({ data: { round, maps } }: MessageEvent<ColorRequest>) => {
  scope.postMessage({ round, colors: await colorsOf(maps) } satisfies ColorAnswer)
}

async function colorsOf(maps: ColorRequest['maps']): Promise<ReadonlyMap<number, Uint8Array>> {
  const overall = await fitPatchColors(maps)
  const first = maps.map((map) => firstLevels(colorPatches(map, overall).data))
  const shares = foregroundShares(maps.map(({ grid }, i) => ({ grid, levels: first[i] ?? new Uint8Array() })))
  const shareOf = (map: number, patch: number) => shares[first[map]?.[patch] ?? 0] ?? 1
  const things = maps.flatMap((map, i) => thingsOf(map, (patch) => shareOf(i, patch) > 0.5))
  // Three components have three directions: with fewer patches there is no fit.
  const fitted = things.length > 3 ? await fitPatchColors(things) : overall
  return new Map(
    maps.map((map, i) => {
      const levels = colorPatches(map, fitted).data
      const colors = new Uint8Array((levels.length / 3) * 4)
      for (let patch = 0; patch * 3 < levels.length; patch++) {
        const [a = 0, b = 0, c = 0] = levels.subarray(3 * patch, 3 * patch + 3)
        colors.set(colorOf(a, b, c), 4 * patch)
        colors[4 * patch + 3] = Math.round(255 * shareOf(i, patch))
      }
      return [map.id, colors]
    }),
  )
}

function firstLevels(levels: Uint8Array): Uint8Array {
  return levels.filter((_, i) => i % 3 === 0)
}

/** Gives the patches that belong to things, each as a map of its own. */
function thingsOf({ patches, grid }: PatchMap, isThing: (patch: number) => boolean): readonly PatchMap[] {
  const count = grid.rows * grid.columns
  const width = patches.length / count
  return Array.from({ length: count }, (_, patch) => patch)
    .filter(isThing)
    .map((patch) => ({
      patches: patches.subarray(patch * width, (patch + 1) * width),
      grid: { rows: 1, columns: 1 },
    }))
}

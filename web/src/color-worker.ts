/** Fits colours to the patches of all photos, off the page's thread. */
import { colorPatches, fitPatchColors, type PatchMap } from 'plumage'

export interface ColorRequest {
  readonly round: number
  readonly maps: readonly (PatchMap & { readonly id: number })[]
}

export interface ColorAnswer {
  readonly round: number
  /** Holds [rows * columns * 3] for each photo by its number. */
  readonly colors: ReadonlyMap<number, Uint8Array>
}

const scope = self as unknown as DedicatedWorkerGlobalScope
scope.onmessage = ({ data: { round, maps } }: MessageEvent<ColorRequest>) => {
  const fitted = fitPatchColors(maps)
  const colors = new Map(maps.map((map) => [map.id, colorPatches(map, fitted).data]))
  scope.postMessage({ round, colors } satisfies ColorAnswer)
}

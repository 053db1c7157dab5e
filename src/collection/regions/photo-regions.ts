/** Makes a few regions of a photo's patches, by which places of photos are searched for: patches that are alike, with the box around most of them. */
import type { Features } from '../../encoder/types.js'
import type { Box } from '../../image/image.js'
import { connectedParts } from '../../numerics/connected-parts.js'
import { sphericalKMeans } from '../../numerics/k-means.js'
import type { ProductOptions, Products } from '../../numerics/products.js'
import { unit } from '../unit.js'

/** Is what is needed of a photo's features. */
export type RegionFeatures = Pick<Features, 'patches' | 'grid' | 'imageSize' | 'patchBox'>

/** Says where patches lie in their photo. */
export type PlacedGrid = Omit<RegionFeatures, 'patches'>

export interface PhotoRegion {
  /** [D] Has length 1: the mean of the unit vectors of the patches in the box that belong to the region. */
  readonly centre: Float32Array
  /** Lies around the largest part of the region that hangs together, in pixels of the photo, within its edges. */
  readonly box: Box
}

export interface RegionOptions extends ProductOptions {
  /** Counts the regions of a photo, at most; default 8. */
  readonly count?: number
  readonly products?: Products | undefined
}

/** Most photos have settled by then; what moves still is the edge between two regions. */
const ROUNDS = 20

/** Gives the regions, the largest first. The same patches give the same ones. Throws the signal's reason. */
export async function regionsOf(
  features: RegionFeatures,
  { count = 8, products, signal }: RegionOptions = {},
): Promise<readonly PhotoRegion[]> {
  const { patches, grid } = features
  const width = patches.length / (grid.rows * grid.columns)
  const found = await sphericalKMeans([patches], width, count, { products, signal, rounds: ROUNDS })
  const regions = Array.from({ length: found.count }, (_, label) => {
    const mask = Uint8Array.from(found.labels, (own) => (own === label ? 1 : 0))
    const { part, sizes } = connectedParts(mask, grid.columns)
    const largest = sizes.indexOf(Math.max(...sizes)) + 1
    const own = Array.from(part.keys()).filter((patch) => part[patch] === largest)
    return { size: own.length, centre: meanDirection(patches, width, own), box: boxAround(features, own) }
  })
  return regions.sort((a, b) => b.size - a.size).map(({ centre, box }) => ({ centre, box }))
}

/** Gives the mean of the unit vectors of some patches, with length 1. Throws RangeError where it has none. */
export function meanDirection(patches: Float32Array, width: number, places: readonly number[]): Float32Array {
  const sum = new Float32Array(width)
  for (const place of places)
    for (const [at, value] of unit(patches.subarray(place * width, (place + 1) * width)).entries())
      sum[at] = (sum[at] ?? 0) + value
  return unit(sum)
}

/** Gives the box around patches, as far as it lies in the photo: a recipe that pads has patches that reach outside. */
export function boxAround({ grid, imageSize, patchBox }: PlacedGrid, patches: readonly number[]): Box {
  const boxes = patches.map((patch) => patchBox(Math.floor(patch / grid.columns), patch % grid.columns))
  const [height, width] = imageSize
  const within = (value: number, most: number) => Math.max(0, Math.min(most, value))
  return {
    top: within(Math.min(...boxes.map(({ top }) => top)), height),
    left: within(Math.min(...boxes.map(({ left }) => left)), width),
    bottom: within(Math.max(...boxes.map(({ bottom }) => bottom)), height),
    right: within(Math.max(...boxes.map(({ right }) => right)), width),
  }
}

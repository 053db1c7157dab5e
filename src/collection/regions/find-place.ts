/** Finds where in a photo something is, by its patches. */
import type { Box } from '../../image/image.js'
import { connectedParts } from '../../numerics/connected-parts.js'
import { unitRows } from '../../numerics/lengths.js'
import { boxAround, meanDirection, type PlacedGrid, type RegionFeatures } from './photo-regions.js'

/** Is where in a photo something is. */
export interface FoundPlace {
  /** Is the largest cosine of a patch with what was searched for. */
  readonly similarity: number
  /** Lies around the patches that hang together with this one and are nearly as alike, in pixels of the photo. */
  readonly box: Box
}

/** Gives the direction of some patches of a photo [D], of length 1: the mean of their unit vectors. Throws RangeError where it has none. */
export function placeVector({ patches, grid }: RegionFeatures, places: readonly number[]): Float32Array {
  return meanDirection(patches, patches.length / (grid.rows * grid.columns), places)
}

/** Finds the place of a photo that is most like a direction [D] of length 1. */
export function findPlace(features: RegionFeatures, query: Float32Array): FoundPlace {
  const { patches, grid } = features
  const width = query.length
  const units = unitRows(patches, width)
  const cosines = Float32Array.from({ length: grid.rows * grid.columns }, (_, patch) =>
    query.reduce((sum, value, at) => sum + value * (units[patch * width + at] ?? 0), 0),
  )
  return placeOfCosines(features, cosines)
}

/** Finds the place by the cosine of each patch [N] with what is searched for. */
export function placeOfCosines(where: PlacedGrid, cosines: Float32Array): FoundPlace {
  const best = cosines.reduce((place, cosine, patch) => (cosine > (cosines[place] ?? 0) ? patch : place), 0)
  const similarity = cosines[best] ?? 0
  const middle = cosines.toSorted()[Math.floor(cosines.length / 2)] ?? 0
  // What belongs to the place is much nearer to its best patch than to the photo's common ones; at half the way, single patches lead from it to others.
  const least = similarity - (similarity - middle) / 3
  const mask = Uint8Array.from(cosines, (cosine) => (cosine >= least ? 1 : 0))
  const { part } = connectedParts(mask, where.grid.columns)
  const own = Array.from(part.keys()).filter((patch) => part[patch] === part[best])
  return { similarity, box: boxAround(where, own) }
}

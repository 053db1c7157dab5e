/** Finds photos that are like no others of a collection: those whose nearest neighbours are far away. */
import { checkOptionNames, type OptionNames } from '../check-option-names.js'
import type { NearestGraph } from '../numerics/nearest-graph.js'
import type { Collection } from './collection.js'
import { onePerPicture, photosOf, withVectors } from './duplicates/compare-photos.js'
import { neighboursOf } from './photo-vectors.js'

/** Says how outliers are found. */
export interface OutlierOptions {
  /** Counts the neighbours over which the distance is averaged; default 10. */
  readonly neighbours?: number
  /** Counts the photos that are given; default 20. */
  readonly count?: number
  /** Ends the work, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal
}

/** Is a photo that is like few others. */
export interface Outlier {
  /** Is the photo's id. */
  readonly id: string
  /** Names the root of its path. */
  readonly root: string
  /** Leads from the root to the file. */
  readonly path: string
  /** Is the mean of one minus the cosine over its nearest neighbours, 0 to 2. */
  readonly distance: number
  /** Says how far that is from the collection's median, in deviations (1.4826 times the median one, which for a normal distribution is the standard deviation). */
  readonly deviations: number
  /** Tells whether that is more than 3.5, from which on Iglewicz and Hoaglin (1993) call a value an outlier. */
  readonly isOutlier: boolean
}

const OPTIONS = { neighbours: true, count: true, signal: true } satisfies OptionNames<OutlierOptions>

const FAR = 3.5

/**
 * Gives the photos that are least like others, the least first. Copies of the same pixels count as one photo, so that they are no neighbours of each other. Throws RangeError for
 * counts that are none; what the collection throws; the signal's reason.
 */
export async function findOutliers(
  collection: Collection,
  options: OutlierOptions = {},
): Promise<readonly Outlier[]> {
  checkOptionNames(options, OPTIONS)
  const { neighbours = 10, count = 20, signal } = options
  for (const [name, value] of Object.entries({ neighbours, count }))
    if (!Number.isInteger(value) || value < 1)
      throw new RangeError(`${name} counts photos, and is 1 or more: got ${value}.`)
  const found = await withVectors(onePerPicture(await photosOf(collection, { signal })), signal)
  if (found === null || found.photos.length < 2) return []
  const { photos, vectors, width, products } = found
  const graph = await neighboursOf(vectors, width, neighbours, { products, signal })
  const distances = photos.map((_, at) => meanDistance(graph, at))
  const middle = medianOf(distances)
  const spread = 1.4826 * medianOf(distances.map((distance) => Math.abs(distance - middle)))
  return photos
    .map(({ copy: { id, root, path } }, at) => {
      const distance = distances[at] ?? 0
      const deviations = spread > 0 ? (distance - middle) / spread : 0
      return { id, root, path, distance, deviations, isOutlier: deviations > FAR }
    })
    .sort((a, b) => b.distance - a.distance || (a.id < b.id ? -1 : 1))
    .slice(0, count)
}

/** Of a graph that is not exact some places may be empty. */
function meanDistance({ count, neighbours, similarities }: NearestGraph, row: number): number {
  const own = similarities.subarray(row * count, (row + 1) * count)
  const found = own.filter((_, at) => (neighbours[row * count + at] ?? -1) >= 0)
  return found.reduce((sum, similarity) => sum + Math.max(0, 1 - similarity), 0) / Math.max(1, found.length)
}

function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const half = sorted.length / 2
  return ((sorted[Math.ceil(half) - 1] ?? 0) + (sorted[Math.floor(half)] ?? 0)) / 2
}

/** Groups the patches of several photos by what they are: a group that several photos share is often one part of one kind of thing. */
import { checkOptionNames, type OptionNames } from '../check-option-names.js'
import { type KMeansOptions, sphericalKMeans } from '../numerics/k-means.js'
import { unitRows } from '../numerics/lengths.js'
import { type ProductOptions, type Products, plainProducts } from '../numerics/products.js'
import { commonOf, type PatchMap, widthOf } from './patch-map.js'
import { PictureError } from './picture-error.js'

/** Says who computes. */
export interface LabelOptions extends ProductOptions {
  /** Computes the products; default: plain loops. */
  readonly products?: Pick<Products, 'similarity'> | undefined
}

/** Holds groups of patches. Group 0 is in most photos, and of those with as many it has most patches. */
export interface PatchClusters {
  /** Counts the groups, K: it is less than was asked for where there are fewer kinds of patches. */
  readonly count: number
  /** Holds the number of each patch's group, [rows * columns], for each photo. */
  readonly labels: readonly Int32Array[]
  /** [K, D] Each has length 1. */
  readonly centres: Float32Array
  /** Counts the patches of each group in each photo, [K] times [photos]. */
  readonly counts: readonly (readonly number[])[]
}

const CLUSTER_OPTIONS = {
  products: true,
  seed: true,
  rounds: true,
  starts: true,
  signal: true,
} satisfies OptionNames<KMeansOptions>

const LABEL_OPTIONS = { products: true, signal: true } satisfies OptionNames<LabelOptions>

/**
 * Groups patches by direction with spherical k-means (Dhillon and Modha, 2001), begun by a seeded k-means++. The same patches and seed give the same groups.
 * Throws `PictureError` `nothing-there`, `mixed-models`; RangeError for a count that is none; the signal's reason.
 */
export async function clusterPatches(
  maps: readonly PatchMap[],
  count: number,
  options: KMeansOptions = {},
): Promise<PatchClusters> {
  checkOptionNames(options, CLUSTER_OPTIONS)
  const { width } = commonOf(maps)
  const blocks = maps.map(({ patches }) => patches)
  const found = await sphericalKMeans(blocks, width, count, options)
  let at = 0
  const given = blocks.map(({ length }) => {
    const own = found.labels.subarray(at, at + length / width)
    at += own.length
    return own
  })
  const counts = Array.from({ length: found.count }, (_, label) =>
    given.map((labels) => labels.reduce((sum, one) => sum + (one === label ? 1 : 0), 0)),
  )
  const photos = (label: number) => counts[label]?.filter((own) => own > 0).length ?? 0
  const patches = (label: number) => counts[label]?.reduce((sum, own) => sum + own, 0) ?? 0
  const order = Array.from({ length: found.count }, (_, label) => label).sort(
    (a, b) => photos(b) - photos(a) || patches(b) - patches(a) || a - b,
  )
  const placeOf = new Map(order.map((label, place) => [label, place]))
  const centres = new Float32Array(found.centres.length)
  for (const [place, label] of order.entries())
    centres.set(found.centres.subarray(label * width, (label + 1) * width), place * width)
  return {
    count: found.count,
    labels: given.map((labels) => labels.map((label) => placeOf.get(label) ?? 0)),
    centres,
    counts: order.map((label) => counts[label] ?? []),
  }
}

/**
 * Gives the number of each patch's group, [rows * columns], for a photo that groups were found without: that of the nearest centre, of equally near ones the
 * first. Throws `PictureError` `mixed-models` for patches of another width; RangeError for an option that there is not; the signal's reason.
 */
export async function labelPatches(
  map: PatchMap,
  clusters: Pick<PatchClusters, 'centres' | 'count'>,
  options: LabelOptions = {},
): Promise<Int32Array> {
  return largestScores(await groupScores(map, clusters, options), clusters.count)
}

/** Gives the number of the largest of each patch's `count` scores. */
export function largestScores(scores: Float32Array, count: number): Int32Array {
  return Int32Array.from({ length: scores.length / count }, (_, row) => largestAt(scores, row * count, count))
}

/** Gives the number of the largest of `count` values from `at` on, of equally large ones the first. */
export function largestAt(values: Float32Array | Float64Array, at: number, count: number): number {
  let best = 0
  for (let one = 1; one < count; one++) if ((values[at + one] ?? 0) > (values[at + best] ?? 0)) best = one
  return best
}

/** Gives the cosine similarity of each patch to the centre of each group, float32 [rows * columns, K]. Throws as `labelPatches`. */
export async function groupScores(
  map: PatchMap,
  { centres, count }: Pick<PatchClusters, 'centres' | 'count'>,
  options: LabelOptions = {},
): Promise<Float32Array> {
  checkOptionNames(options, LABEL_OPTIONS)
  const { products = plainProducts, signal } = options
  const width = widthOf(map)
  if (width * count !== centres.length)
    throw new PictureError(
      'mixed-models',
      `The groups are of patches of ${centres.length / count} numbers, not of ${width}.`,
    )
  const patches = unitRows(map.patches, width)
  const cosines = await products.similarity(centres, patches, width, { signal })
  const rows = patches.length / width
  return Float32Array.from(cosines, (_, i) => cosines[(i % count) * rows + Math.floor(i / count)] ?? 0)
}

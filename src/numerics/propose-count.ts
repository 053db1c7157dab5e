/** Proposes into how many groups rows fall, where nobody says. */
import { sphericalKMeans } from './k-means.js'
import { unitRows } from './lengths.js'
import { pausesFor } from './pauses.js'
import { checkRows, type ProductOptions, type Products, plainProducts } from './products.js'
import { drawRows, gatherRows } from './row-blocks.js'
import { seededRandom } from './seeded-random.js'
import { silhouette } from './silhouette.js'

/** Is a number of groups and how far those are apart. */
export interface TriedCount {
  /** Is the number of groups. */
  readonly count: number
  /** Is the mean silhouette, -1 to 1. */
  readonly silhouette: number
}

/** Is the number of groups that are farthest apart, and all that were tried. */
export interface ProposedCount extends TriedCount {
  /** Rises by the number of groups. */
  readonly tried: readonly TriedCount[]
}

/** So many rows are looked at; their distances to each other are held at once. */
const MOST_SEEN = 2500
/** A group has so many of them at least, on average. */
const LEAST_ROWS = 4
const MOST_GROUPS = 100
/** Each number tried is about so many times the one before. */
const LADDER = 1.25
const STARTS = 3

/**
 * Proposes the number of groups, 2 to 100, whose mean silhouette (Rousseeuw 1987) is largest: k-means by direction is tried on 2,500 rows at most, first with
 * numbers that grow by a quarter, then with those between the neighbours of the best. Of fewer than 8 rows it proposes one group. Throws as `sphericalKMeans`.
 */
export async function proposeCount(
  blocks: readonly Float32Array[],
  width: number,
  options: ProductOptions & { readonly products?: Products | undefined; readonly seed?: number } = {},
): Promise<ProposedCount> {
  const { products = plainProducts, signal, seed = 0 } = options
  const total = checkRows(blocks, width)
  const units = unitRows(gatherRows(blocks, width, drawRows(total, MOST_SEEN, seededRandom(seed))), width)
  const most = Math.min(MOST_GROUPS, Math.floor(units.length / width / LEAST_ROWS))
  if (most < 2) return { count: 1, silhouette: 0, tried: [] }
  const similarities = await products.similarity(units, units, width, { signal })
  const pause = pausesFor(signal)
  const tried = new Map<number, number>()
  const tryCount = async (count: number) => {
    if (tried.has(count)) return
    const found = await sphericalKMeans([units], width, count, { products, signal, seed, starts: STARTS })
    tried.set(count, silhouette(similarities, found.labels, found.count))
    await pause()
  }
  const ladder = ladderTo(most)
  for (const count of ladder) await tryCount(count)
  const place = ladder.indexOf(bestOf(tried).count)
  const below = ladder[Math.max(0, place - 1)]
  const above = ladder[Math.min(ladder.length - 1, place + 1)]
  for (let count = below + 1; count < above; count++) await tryCount(count)
  return { ...bestOf(tried), tried: listOf(tried) }
}

function ladderTo(most: number): number[] {
  const ladder: number[] = []
  for (let count = 2; count <= most; count = Math.max(count + 1, Math.round(count * LADDER)))
    ladder.push(count)
  return ladder
}

function listOf(tried: ReadonlyMap<number, number>): TriedCount[] {
  return [...tried].map(([count, value]) => ({ count, silhouette: value })).sort((a, b) => a.count - b.count)
}

function bestOf(tried: ReadonlyMap<number, number>): TriedCount {
  return listOf(tried).reduce((best, one) => (one.silhouette > best.silhouette ? one : best))
}

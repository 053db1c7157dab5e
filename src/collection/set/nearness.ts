/**
 * Tells which collections of a set are near to a query, by the centroids of each, and measures how much of what is exactly nearest those have that are asked then: on
 * photos of the set itself, as indices are measured.
 */

import type { RowScorer } from '../../numerics/nearest-rows.js'
import { drawRows } from '../../numerics/row-blocks.js'
import { seededRandom } from '../../numerics/seeded-random.js'
import { widenRows } from '../../numerics/stored-halves.js'
import type { StoredVectors } from '../store.js'
import type { VectorSummary } from './vector-summary.js'

/** Says how much is found where only collections are asked whose centroids are near. */
export interface NearFigures {
  /** Counts the photos that it was measured with. */
  readonly photos: number
  /** Are the shares of the ten nearest that are found where one collection is asked, two, and so on; the last is 1. */
  readonly recall: readonly number[]
}

/** The share of the ten nearest that is asked for where nobody says how many collections are asked. */
const WANTED = 0.95
const NEAREST = 10
const PHOTOS = 200
const SEED = 2

/** Gives the least number of collections that finds enough. */
export function enoughCollections({ recall }: NearFigures): number {
  return recall.findIndex((share) => share >= WANTED) + 1 || recall.length
}

/** Gives the numbers of the collections, that with the nearest centroid first; those without any photo come last. */
export function byNearness(
  summaries: readonly Pick<VectorSummary, 'centroids'>[],
  query: Float32Array,
): readonly number[] {
  const nearest = summaries.map(({ centroids }) => nearestCosine(centroids, query))
  return nearest.map((_, at) => at).sort((a, b) => (nearest[b] ?? 0) - (nearest[a] ?? 0) || a - b)
}

/** -2 is less than any cosine. */
function nearestCosine(centroids: Float32Array, query: Float32Array): number {
  const width = query.length
  let best = -2
  for (let from = 0; from < centroids.length; from += width) {
    let cosine = 0
    for (let i = 0; i < width; i++) cosine += (centroids[from + i] ?? 0) * (query[i] ?? 0)
    if (cosine > best) best = cosine
  }
  return best
}

/** Gives the vectors of one collection after the other; what it gave before is not looked at any more. */
export type VectorsOf = (member: number) => Promise<StoredVectors>

interface Found {
  readonly member: number
  readonly row: number
  readonly score: number
}

/** Finds what is exactly nearest to photos that are drawn, other than themselves, and says how much of it the first one, two … collections have. */
export async function measureNearness(
  {
    summaries,
    vectorsOf,
    width,
    scorer,
  }: {
    readonly summaries: readonly VectorSummary[]
    readonly vectorsOf: VectorsOf
    readonly width: number
    readonly scorer: RowScorer
  },
  {
    signal,
    onProgress,
  }: {
    readonly signal?: AbortSignal | undefined
    readonly onProgress?: ((collections: number, of: number) => void) | undefined
  } = {},
): Promise<NearFigures> {
  const total = summaries.reduce((sum, { rows }) => sum + rows, 0)
  const drawn = placesOf(drawRows(total, PHOTOS, seededRandom(SEED)), summaries)
  const queries = new Float32Array(drawn.length * width)
  for (const member of summaries.keys()) {
    const own = [...drawn.entries()].filter(([, one]) => one.member === member)
    if (own.length === 0) continue
    const { blocks } = await vectorsOf(member)
    const rows = await widenRows(
      blocks,
      width,
      own.map(([, { row }]) => row),
    )
    for (const [at, [query]] of own.entries())
      queries.set(rows.subarray(at * width, (at + 1) * width), query * width)
  }
  const best: Found[][] = drawn.map(() => [])
  for (const [member, { rows }] of summaries.entries()) {
    signal?.throwIfAborted()
    if (rows > 0) {
      const { blocks } = await vectorsOf(member)
      const found = await scorer.nearestToEach(queries, width, blocks, NEAREST + 1, { signal })
      for (const [query, own] of best.entries()) {
        for (let at = query * found.count; at < (query + 1) * found.count; at++)
          own.push({ member, row: found.rows[at] ?? 0, score: found.scores[at] ?? 0 })
        own.sort((a, b) => b.score - a.score || a.member - b.member || a.row - b.row).splice(NEAREST + 1)
      }
    }
    onProgress?.(member + 1, summaries.length)
  }
  const has = new Float64Array(summaries.length)
  let all = 0
  for (const [at, self] of drawn.entries()) {
    const others = (best[at] ?? []).filter(({ member, row }) => member !== self.member || row !== self.row)
    const order = byNearness(summaries, queries.subarray(at * width, (at + 1) * width))
    for (const { member } of others.slice(0, NEAREST)) {
      const place = order.indexOf(member)
      has[place] = (has[place] ?? 0) + 1
      all++
    }
  }
  let sum = 0
  const recall = Array.from(has, (count) => {
    sum += count
    return all === 0 ? 1 : sum / all
  })
  return { photos: drawn.length, recall }
}

interface Placed {
  readonly member: number
  readonly row: number
}

/** Says of rows of the whole set, in rising order, which row of which collection each is. */
export function placesOf(
  rows: ArrayLike<number>,
  summaries: readonly Pick<VectorSummary, 'rows'>[],
): readonly Placed[] {
  const starts: number[] = []
  let total = 0
  for (const { rows: own } of summaries) {
    starts.push(total)
    total += own
  }
  return Array.from(rows, (row) => {
    const member = starts.findLastIndex((start) => start <= row)
    return { member, row: row - (starts[member] ?? 0) }
  })
}

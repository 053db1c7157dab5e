/**
 * Finds for each of many rows the rows that are nearest to it: what density, maps and outliers are made of. Exactly, each pair multiplied once; or, for millions,
 * among the rows of those groups whose centres are nearest, with the share of right neighbours measured on some rows.
 */
import { checkOptionNames, type OptionNames } from '../check-option-names.js'
import { toHalf } from '../tensor/float16.js'
import { roomForRows, sortKept } from './kept-rows.js'
import { unitRows } from './lengths.js'
import { checkHalves, type RowScorer, type StoredRows } from './nearest-rows.js'
import type { ProductOptions } from './products.js'
import { drawRows } from './row-blocks.js'
import { plainScorer } from './row-scorer.js'
import { seededRandom } from './seeded-random.js'
import { widenRows } from './stored-halves.js'

/** Lists the K rows nearest to each of N, nearest first and never the row itself; of equal ones the earlier. */
export interface NearestGraph {
  /** Counts the neighbours of a row, K. */
  readonly count: number
  /** [N, K] Counts the rows in front of it; -1 where no neighbour was found, which an exact graph does not have. */
  readonly neighbours: Int32Array
  /** [N, K] Is the product of the two rows: the cosine, where both have length 1. */
  readonly similarities: Float32Array
}

/** Says how a graph is made. */
export interface NearestGraphOptions extends ProductOptions {
  /** Looks through rows; default: in plain loops. */
  readonly products?: RowScorer | undefined
  /** Is told the share that is done, from 0 to 1, now and then. */
  readonly onProgress?: ((share: number) => void) | undefined
}

/** Says how a graph is made that need not be exact. */
export interface ApproximateGraphOptions extends NearestGraphOptions {
  /** Counts the groups; default: the square root of the number of rows. */
  readonly groups?: number | undefined
  /** Says among how many groups the neighbours of a row are looked for; default 24. */
  readonly probes?: number | undefined
  /** Says on how many rows it is measured; default 500. */
  readonly sample?: number | undefined
  /** Decides with which rows groups begin, and on which it is measured. Default: 0. */
  readonly seed?: number | undefined
}

/** Is a graph that need not be exact, and how nearly it is. */
export interface ApproximateGraph extends NearestGraph {
  /** Is the share of the exact neighbours of the sample that were found; one as near as the farthest of them counts as one of them. */
  readonly recall: number
}

const OPTIONS = { products: true, onProgress: true, signal: true } satisfies OptionNames<NearestGraphOptions>
const APPROXIMATE_OPTIONS = {
  ...OPTIONS,
  groups: true,
  probes: true,
  sample: true,
  seed: true,
} satisfies OptionNames<ApproximateGraphOptions>
/** So many rows are shown to all others at a time. */
const ROWS_AT_A_TIME = 2048
/** Groups are made of so many rows for each, drawn from all. */
const DRAWN_FOR_GROUP = 40
const ROUNDS = 10
/** Near ties are as good as each other. */
const TIE = 1e-6

/**
 * Finds the `count` nearest of rows [N, D] of halves, exactly: as sums in float64 give them. Takes 16 bytes a neighbour while it is made. Throws RangeError for no
 * rows, a part of a row, a count that is none, and a score that is not finite; the signal's reason.
 */
export async function nearestGraph(
  blocks: readonly StoredRows[],
  width: number,
  count: number,
  options: NearestGraphOptions = {},
): Promise<NearestGraph> {
  checkOptionNames(options, OPTIONS)
  const { products = plainScorer, signal, onProgress } = options
  const total = checkHalves(blocks, width, count)
  const most = Math.min(count, total - 1)
  if (most === 0) return { count: 0, neighbours: new Int32Array(), similarities: new Float32Array() }
  const kept = roomForRows(total, most)
  const all = Uint32Array.from({ length: total }, (_, row) => row)
  for (let from = 0; from < total; from += ROWS_AT_A_TIME) {
    const queries = all.subarray(from, from + ROWS_AT_A_TIME)
    const mutualFrom = queries.length
    await products.keepNearest(kept, width, blocks, queries, all.subarray(from), { signal, mutualFrom })
    // What is left of all pairs is the square of the share of rows that are left.
    onProgress?.(1 - ((total - from - mutualFrom) / total) ** 2)
  }
  return takeApart(kept, most)
}

/**
 * Finds the `count` nearest of rows [N, D] of halves, whose lengths are 1, among those of the `probes` groups whose centres are nearest to the row (inverted file,
 * Sivic and Zisserman, Video Google, 2003). Takes 16 bytes a neighbour and 4 a probe while it is made. The same seed gives the same graph. Throws as `nearestGraph`.
 */
export async function approximateGraph(
  blocks: readonly StoredRows[],
  width: number,
  count: number,
  options: ApproximateGraphOptions = {},
): Promise<ApproximateGraph> {
  checkOptionNames(options, APPROXIMATE_OPTIONS)
  const { products = plainScorer, signal, onProgress, seed = 0 } = options
  const total = checkHalves(blocks, width, count)
  const { groups = Math.ceil(Math.sqrt(total)), probes = 24, sample = 500 } = options
  const random = seededRandom(seed)
  const drawn = await widenRows(blocks, width, drawRows(total, groups * DRAWN_FOR_GROUP, random))
  const centres = await groupCentres(drawn, width, groups, { products, signal, random })
  onProgress?.(0.2)
  const made = centres.length / width
  const near = await nearestCentres({
    blocks,
    width,
    total,
    centres,
    probes: Math.min(probes, made),
    products,
    signal,
  })
  onProgress?.(0.4)
  const most = Math.min(count, total - 1)
  const kept = roomForRows(total, most)
  for (let group = 0; group < made && most > 0; group++) {
    const { seekers, members } = near.of(group)
    await products.keepNearest(kept, width, blocks, seekers, members, { signal })
    onProgress?.(0.4 + (0.5 * (group + 1)) / made)
  }
  const graph =
    most === 0
      ? { count: 0, neighbours: new Int32Array(), similarities: new Float32Array() }
      : takeApart(kept, most)
  const recall = await recallOf(graph, blocks, width, drawRows(total, sample, random), { products, signal })
  onProgress?.(1)
  return { ...graph, recall }
}

/** Gives the share of the exact neighbours of the given rows that a graph has. */
async function recallOf(
  { count, similarities }: NearestGraph,
  blocks: readonly StoredRows[],
  width: number,
  rows: Int32Array,
  { products, signal }: { products: RowScorer; signal: AbortSignal | undefined },
): Promise<number> {
  if (count === 0) return 1
  const queries = await widenRows(blocks, width, rows)
  const exact = await products.nearestToEach(queries, width, blocks, count + 1, { signal })
  let right = 0
  for (const [q, row] of rows.entries()) {
    // The row itself is among the nearest, unless many are equal to it: then each of them is as near.
    const own = exact.rows.subarray(q * (count + 1), (q + 1) * (count + 1)).indexOf(row)
    const farthest = exact.scores[q * (count + 1) + (own < 0 ? count - 1 : count)]
    for (let i = row * count; i < (row + 1) * count; i++) if (similarities[i] >= farthest - TIE) right++
  }
  return right / (rows.length * count)
}

/** Begins with rows that are drawn, and moves each centre to the direction of the sum of itself and the rows that it is nearest to, so that one without any stays. */
async function groupCentres(
  rows: Float32Array,
  width: number,
  groups: number,
  {
    products,
    signal,
    random,
  }: { products: RowScorer; signal: AbortSignal | undefined; random: () => number },
): Promise<Float32Array> {
  const first = drawRows(rows.length / width, groups, random)
  let centres = new Float32Array(first.length * width)
  for (const [k, row] of first.entries())
    centres.set(rows.subarray(row * width, (row + 1) * width), k * width)
  for (let round = 0; round < ROUNDS; round++) {
    const nearest = await products.nearestToEach(rows, width, [halvesOf(centres)], 1, { signal })
    const sums = Float32Array.from(centres)
    for (const [row, k] of nearest.rows.entries())
      for (let i = 0; i < width; i++) sums[k * width + i] += rows[row * width + i]
    centres = unitRows(sums, width)
  }
  return centres
}

function halvesOf(rows: Float32Array): StoredRows {
  return { dtype: 'F16', bytes: new Uint8Array(toHalf(rows).buffer) }
}

interface Assignment {
  readonly blocks: readonly StoredRows[]
  readonly width: number
  readonly total: number
  readonly centres: Float32Array
  readonly probes: number
  readonly products: RowScorer
  readonly signal: AbortSignal | undefined
}

/** Finds the nearest centres of each row. Gives the rows that a group is the nearest of, its members, and those that look for neighbours in it. */
async function nearestCentres({ blocks, width, total, centres, probes, products, signal }: Assignment) {
  const groups = centres.length / width
  const nearest = new Uint32Array(total * probes)
  const stored = [halvesOf(centres)]
  for (let from = 0; from < total; from += ROWS_AT_A_TIME) {
    const numbers = Uint32Array.from({ length: Math.min(ROWS_AT_A_TIME, total - from) }, (_, i) => from + i)
    const rows = await widenRows(blocks, width, numbers)
    const found = await products.nearestToEach(rows, width, stored, probes, { signal })
    nearest.set(found.rows, from * probes)
  }
  const members = listsOf(groups, total, 1, (row) => nearest[row * probes])
  const seekers = listsOf(groups, total, probes, (row, i) => nearest[row * probes + i])
  return { of: (group: number) => ({ members: members(group), seekers: seekers(group) }) }
}

/** Lists for each group the rows that name it, in order. */
function listsOf(groups: number, total: number, names: number, nameOf: (row: number, i: number) => number) {
  const starts = new Uint32Array(groups + 1)
  for (let row = 0; row < total; row++) for (let i = 0; i < names; i++) starts[nameOf(row, i) + 1]++
  for (let group = 0; group < groups; group++) starts[group + 1] += starts[group]
  const next = starts.slice()
  const rows = new Uint32Array(total * names)
  for (let row = 0; row < total; row++) for (let i = 0; i < names; i++) rows[next[nameOf(row, i)]++] = row
  return (group: number) => rows.subarray(starts[group], starts[group + 1])
}

function takeApart(kept: Float64Array, count: number): NearestGraph {
  sortKept(kept, count)
  const neighbours = new Int32Array(kept.length / 2)
  const similarities = new Float32Array(neighbours.length)
  for (let i = 0; i < neighbours.length; i++) {
    similarities[i] = kept[2 * i]
    neighbours[i] = Number.isFinite(kept[2 * i + 1]) ? kept[2 * i + 1] : -1
  }
  return { count, neighbours, similarities }
}

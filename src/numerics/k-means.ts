/**
 * Groups rows about centres: k-means by Lloyd's rounds, begun by k-means++ that looks at a few rows before it takes one (Arthur and Vassilvitskii, k-means++:
 * the advantages of careful seeding, 2007, and its greedy form). By direction it is spherical k-means (Dhillon and Modha, Concept decompositions for large
 * sparse text data using clustering, 2001), where rows and centres have length 1.
 */
import { unitRows } from './lengths.js'
import { checkRows, type ProductOptions, type Products, plainProducts } from './products.js'
import { drawRows, gatherRows, piecesOf } from './row-blocks.js'
import { seededRandom } from './seeded-random.js'

/** Says how groups are found. */
export interface KMeansOptions extends ProductOptions {
  /** Computes products; default: in plain loops. */
  readonly products?: Products | undefined
  /** Decides with which rows it begins; the same seed gives the same groups. Default: 0. */
  readonly seed?: number
  /** Bounds the rounds; default 100. It ends before where no row changes its group, or where a round brings less than a millionth. */
  readonly rounds?: number
  /** Says how many times it begins anew; the best groups are kept. Default: 1. Of more than 20,000 rows the starts see as many, and the best goes on with all. */
  readonly starts?: number
}

/** Holds groups of rows. */
export interface Clusters {
  /** [N] Names the group of each row, block after block, 0 to K - 1. A group that no row is in has no number: there may be fewer than were asked for. */
  readonly labels: Int32Array
  /** [K, D] By direction, each has length 1. */
  readonly centres: Float32Array
  /** Counts the groups. */
  readonly count: number
  /** Is the sum of the squared distances of all rows to their centres; by direction, of rows of length 1. */
  readonly inertia: number
  /** Gives the inertia after each round: it never rises. */
  readonly objective: readonly number[]
}

/** Starts see so many rows. */
const MOST_STARTED = 20_000
/** A round that brings less than this share of the inertia is the last. */
const SETTLED = 1e-6
/** So many products of rows and centres are held at once. */
const MOST_HELD = 1 << 22

/**
 * Groups rows [N, D], which lie in blocks, into at most `count` groups by direction. Lengths do not matter; a row of zeros is as near to all. Throws
 * RangeError for no rows, a part of a row, or a count that is none; the signal's reason.
 */
export async function sphericalKMeans(
  blocks: readonly Float32Array[],
  width: number,
  count: number,
  options: KMeansOptions = {},
): Promise<Clusters> {
  checkCount(blocks, width, count)
  const units = blocks.filter(({ length }) => length > 0).map((block) => unitRows(block, width))
  return await grouped({ blocks: units, width, isRound: true }, count, options)
}

/** Groups rows by Euclidean distance, as scikit-learn's `KMeans` does. Throws as `sphericalKMeans`. */
export async function kMeans(
  blocks: readonly Float32Array[],
  width: number,
  count: number,
  options: KMeansOptions = {},
): Promise<Clusters> {
  checkCount(blocks, width, count)
  const { products = plainProducts, signal } = options
  // Distances of rows far from zero would be small differences of large numbers.
  const mean = await products.mean(blocks, width, { signal })
  const centred = blocks
    .filter(({ length }) => length > 0)
    .map((block) => block.map((value, i) => value - mean[i % width]))
  const found = await grouped({ blocks: centred, width, isRound: false }, count, options)
  return { ...found, centres: found.centres.map((value, i) => value + mean[i % width]) }
}

function checkCount(blocks: readonly Float32Array[], width: number, count: number): void {
  checkRows(blocks, width)
  if (!(Number.isInteger(count) && count >= 1)) throw new RangeError(`Rows do not fall into ${count} groups.`)
}

/** Holds rows that are of length 1, or centred, and whether centres lie on the sphere too. */
interface Space {
  readonly blocks: readonly Float32Array[]
  readonly width: number
  readonly isRound: boolean
}

interface Work {
  readonly products: Products
  readonly signal: AbortSignal | undefined
  readonly rounds: number
}

async function grouped(space: Space, count: number, options: KMeansOptions): Promise<Clusters> {
  const { products = plainProducts, signal, seed = 0, rounds = 100, starts = 1 } = options
  if (!(Number.isInteger(starts) && starts >= 1)) throw new RangeError(`There are no ${starts} starts.`)
  const work = { products, signal, rounds }
  const random = seededRandom(seed)
  const total = checkRows(space.blocks, space.width)
  const isSampled = starts > 1 && total > MOST_STARTED
  const seen = isSampled ? sampled(space, total, random) : space
  const wanted = Math.min(count, isSampled ? MOST_STARTED : total)
  let best: Clusters | null = null
  for (let start = 0; start < starts; start++) {
    const found = await lloyd(seen, await firstCentres(seen, wanted, random, work), work)
    if (best === null || found.inertia < best.inertia) best = found
  }
  if (best === null) throw new Error('There was no start.')
  return isSampled ? await lloyd(space, best.centres, work) : best
}

function sampled(space: Space, total: number, random: () => number): Space {
  const rows = gatherRows(space.blocks, space.width, drawRows(total, MOST_STARTED, random))
  return { ...space, blocks: [rows] }
}

async function lloyd(space: Space, first: Float32Array, work: Work): Promise<Clusters> {
  const total = checkRows(space.blocks, space.width)
  const labels = new Int32Array(total).fill(-1)
  const objective: number[] = []
  const squares = sumOf(squaresOf(space.blocks, space.width, total))
  let centres = first
  for (let round = 0; ; round++) {
    const { moved, nearness } = await assign(space, centres, labels, work)
    // What is left of small differences of large sums may be a little below nothing.
    const inertia = Math.max(0, squares - 2 * nearness)
    objective.push(inertia)
    const isSettled = round > 0 && objective[round - 1] - inertia <= SETTLED * inertia
    if (!moved || isSettled || round + 1 >= work.rounds) break
    centres = centresOf(space, labels, centres)
  }
  return withoutEmpty(labels, centres, space.width, objective)
}

/**
 * Draws rows with the probability of their squared distance to the nearest centre that there is. Of several drawn, the one is taken that leaves least, as
 * scikit-learn does.
 */
async function firstCentres(
  { blocks, width }: Space,
  count: number,
  random: () => number,
  work: Work,
): Promise<Float32Array> {
  const total = checkRows(blocks, width)
  const tries = 2 + Math.floor(Math.log(count))
  const squares = squaresOf(blocks, width, total)
  let left = new Float64Array(total).fill(1)
  const centres = new Float32Array(count * width)
  for (let k = 0; k < count; k++) {
    const drawn = Array.from({ length: k === 0 ? 1 : tries }, () => drawnOf(left, random()))
    const tried = gatherRows(blocks, width, drawn)
    const nearer = drawn.map(() => new Float64Array(total))
    await eachProduct({ blocks, width }, tried, work, (products, rows, first) => {
      for (const [t, own] of nearer.entries()) {
        for (let row = 0; row < rows; row++) {
          const distance = squares[first + row] + squares[drawn[t]] - 2 * products[t * rows + row]
          own[first + row] = Math.max(0, k === 0 ? distance : Math.min(left[first + row], distance))
        }
        // Rounding must not leave a row that is a centre to be drawn again.
        own[drawn[t]] = 0
      }
    })
    let best = 0
    const sums = nearer.map(sumOf)
    for (let t = 1; t < sums.length; t++) if (sums[t] < sums[best]) best = t
    left = nearer[best]
    centres.set(tried.subarray(best * width, (best + 1) * width), k * width)
  }
  return centres
}

/** Multiplies centres with all rows, a piece at a time: `visit` gets [K, rows of the piece]. */
async function eachProduct(
  { blocks, width }: Pick<Space, 'blocks' | 'width'>,
  centres: Float32Array,
  { products, signal }: Work,
  visit: (products: Float32Array, rows: number, first: number) => void,
): Promise<void> {
  const most = Math.max(1, Math.floor((MOST_HELD * width) / centres.length))
  for (const { rows, first } of piecesOf(blocks, width, most))
    visit(await products.similarity(centres, rows, width, { signal }), rows.length / width, first)
}

/** Gives the place at which the running sum passes a share of all. Where all distances are 0, every row is as good. */
function drawnOf(distances: Float64Array, share: number): number {
  const total = sumOf(distances)
  if (!(total > 0)) return Math.floor(share * distances.length)
  let left = share * total
  let last = 0
  for (let row = 0; row < distances.length; row++) {
    if (distances[row] === 0) continue
    last = row
    left -= distances[row]
    if (left < 0) break
  }
  return last
}

/** Puts each row into the group of the nearest centre; of equally near ones it stays where it is, else it goes to the first. Sums how near they all are. */
async function assign(
  space: Space,
  centres: Float32Array,
  labels: Int32Array,
  work: Work,
): Promise<{ readonly moved: boolean; readonly nearness: number }> {
  const { width } = space
  const count = centres.length / width
  const half = squaresOf([centres], width, count).map((square) => square / 2)
  let moved = false
  let sum = 0
  await eachProduct(space, centres, work, (products, rows, first) => {
    for (let row = 0; row < rows; row++) {
      const own = labels[first + row]
      let best = Math.max(own, 0)
      let nearest = products[best * rows + row] - half[best]
      for (let k = 0; k < count; k++) {
        const nearness = products[k * rows + row] - half[k]
        if (nearness <= nearest) continue
        nearest = nearness
        best = k
      }
      if (best !== own) moved = true
      labels[first + row] = best
      sum += nearest
    }
  })
  return { moved, nearness: sum }
}

/**
 * Gives each group the mean of its rows, or on the sphere its direction, which no other is nearer to. A group without rows, or whose sum is nothing there,
 * keeps its own.
 */
function centresOf(
  { blocks, width, isRound }: Space,
  labels: Int32Array,
  before: Float32Array,
): Float32Array {
  const sums = new Float64Array(before.length)
  const counts = new Float64Array(before.length / width)
  let row = 0
  for (const block of blocks) {
    for (let at = 0; at < block.length; at += width, row++) {
      counts[labels[row]]++
      const to = labels[row] * width
      for (let i = 0; i < width; i++) sums[to + i] += block[at + i]
    }
  }
  const next = Float32Array.from(before)
  const lengths = isRound ? squaresOf([sums], width, counts.length).map(Math.sqrt) : counts
  for (let k = 0; k < counts.length; k++)
    if (lengths[k] > 0) for (let i = k * width; i < (k + 1) * width; i++) next[i] = sums[i] / lengths[k]
  return next
}

function squaresOf(
  blocks: readonly (Float32Array | Float64Array)[],
  width: number,
  total: number,
): Float64Array {
  const squares = new Float64Array(total)
  let row = 0
  for (const block of blocks)
    for (let at = 0; at < block.length; at += width, row++)
      for (let i = at; i < at + width; i++) squares[row] += block[i] * block[i]
  return squares
}

function sumOf(values: Float64Array): number {
  let sum = 0
  for (let i = 0; i < values.length; i++) sum += values[i]
  return sum
}

function withoutEmpty(
  labels: Int32Array,
  centres: Float32Array,
  width: number,
  objective: readonly number[],
): Clusters {
  const taken = [...new Set(labels)].sort((a, b) => a - b)
  const places = new Map(taken.map((label, place) => [label, place]))
  return {
    labels: labels.map((label) => places.get(label) ?? 0),
    centres: gatherRows([centres], width, taken),
    count: taken.length,
    inertia: objective[objective.length - 1],
    objective,
  }
}

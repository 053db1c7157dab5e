/**
 * Groups rows by direction: spherical k-means (Dhillon and Modha, Concept decompositions for large sparse text data using clustering, 2001), begun by
 * k-means++ (Arthur and Vassilvitskii, 2007).
 */
import { unitRows } from './lengths.js'
import { checkRows, type ProductOptions, type Products, plainProducts } from './products.js'
import { seededRandom } from './seeded-random.js'

/** Says how groups are found. */
export interface KMeansOptions extends ProductOptions {
  /** Computes products; default: in plain loops. */
  readonly products?: Products | undefined
  /** Decides with which rows it begins; the same seed gives the same groups. Default: 0. */
  readonly seed?: number
  /** Bounds the rounds; default 100. It ends before where no row changes its group. */
  readonly rounds?: number
}

/** Holds groups of rows. */
export interface Clusters {
  /** [N] Names the group of each row, block after block, 0 to K - 1. A group that no row is in has no number: there may be fewer than were asked for. */
  readonly labels: Int32Array
  /** [K, D] Each has length 1. */
  readonly centres: Float32Array
  /** Counts the groups. */
  readonly count: number
  /** Gives the mean of 1 - cosine to the own centre after each round: it never rises. */
  readonly objective: readonly number[]
}

/**
 * Groups rows [N, D], which lie in blocks, into at most `count` groups. Lengths do not matter; a row of zeros is as near to all. Throws RangeError for no
 * rows, a part of a row, or a count that is none; the signal's reason.
 */
export async function sphericalKMeans(
  blocks: readonly Float32Array[],
  width: number,
  count: number,
  options: KMeansOptions = {},
): Promise<Clusters> {
  const { products = plainProducts, signal, seed = 0, rounds = 100 } = options
  const total = checkRows(blocks, width)
  if (!(Number.isInteger(count) && count >= 1)) throw new RangeError(`Rows do not fall into ${count} groups.`)
  const units = blocks.filter(({ length }) => length > 0).map((block) => unitRows(block, width))
  let centres = await firstCentres(units, width, Math.min(count, total), { products, signal, seed })
  const labels = new Int32Array(total).fill(-1)
  const objective: number[] = []
  for (let round = 0; round < rounds; round++) {
    const { moved, cosines } = await assign(units, width, centres, labels, { products, signal })
    objective.push(1 - cosines / total)
    if (!moved) break
    centres = meanDirections(units, width, labels, centres)
  }
  return withoutEmpty(labels, centres, width, objective)
}

interface Work {
  readonly products: Products
  readonly signal: AbortSignal | undefined
}

/** Draws rows with the probability of their distance, 1 - cosine, to the nearest centre that there is. */
async function firstCentres(
  units: readonly Float32Array[],
  width: number,
  count: number,
  { products, signal, seed }: Work & { readonly seed: number },
): Promise<Float32Array> {
  const random = seededRandom(seed)
  const total = units.reduce((sum, block) => sum + block.length / width, 0)
  const distances = new Float64Array(total).fill(1)
  const centres = new Float32Array(count * width)
  for (let k = 0; k < count; k++) {
    const row = drawn(distances, random())
    const centre = rowAt(units, width, row)
    centres.set(centre, k * width)
    let at = 0
    for (const block of units) {
      const cosines = await products.similarity(centre, block, width, { signal })
      for (const cosine of cosines) {
        const distance = Math.max(0, 1 - cosine)
        distances[at] = k === 0 ? distance : Math.min(distances[at], distance)
        at++
      }
    }
  }
  return centres
}

/** Gives the place at which the running sum passes a share of all. Where all distances are 0, every row is as good. */
function drawn(distances: Float64Array, share: number): number {
  const total = distances.reduce((sum, distance) => sum + distance, 0)
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

function rowAt(blocks: readonly Float32Array[], width: number, row: number): Float32Array {
  let at = row * width
  for (const block of blocks) {
    if (at < block.length) return block.subarray(at, at + width)
    at -= block.length
  }
  throw new RangeError(`There is no row ${row}.`)
}

/** Puts each row into the group of the nearest centre; of equally near ones it stays where it is, else it goes to the first. */
async function assign(
  units: readonly Float32Array[],
  width: number,
  centres: Float32Array,
  labels: Int32Array,
  { products, signal }: Work,
): Promise<{ readonly moved: boolean; readonly cosines: number }> {
  const count = centres.length / width
  let moved = false
  let sum = 0
  let first = 0
  for (const block of units) {
    const rows = block.length / width
    const cosines = await products.similarity(centres, block, width, { signal })
    for (let row = 0; row < rows; row++) {
      const own = labels[first + row]
      let best = Math.max(own, 0)
      for (let k = 0; k < count; k++) if (cosines[k * rows + row] > cosines[best * rows + row]) best = k
      if (best !== own) moved = true
      labels[first + row] = best
      sum += cosines[best * rows + row]
    }
    first += rows
  }
  return { moved, cosines: sum }
}

/** Gives each group the direction of the sum of its rows, which no other direction is nearer to. A group without rows, or whose sum is nothing, keeps its own. */
function meanDirections(
  units: readonly Float32Array[],
  width: number,
  labels: Int32Array,
  centres: Float32Array,
): Float32Array {
  const sums = new Float64Array(centres.length)
  let row = 0
  for (const block of units) {
    for (let at = 0; at < block.length; at += width, row++) {
      const to = labels[row] * width
      for (let i = 0; i < width; i++) sums[to + i] += block[at + i]
    }
  }
  const next = Float32Array.from(centres)
  for (let at = 0; at < sums.length; at += width) {
    let square = 0
    for (let i = at; i < at + width; i++) square += sums[i] ** 2
    if (!(square > 0)) continue
    for (let i = at; i < at + width; i++) next[i] = sums[i] / Math.sqrt(square)
  }
  return next
}

function withoutEmpty(
  labels: Int32Array,
  centres: Float32Array,
  width: number,
  objective: readonly number[],
): Clusters {
  const taken = [...new Set(labels)].sort((a, b) => a - b)
  const places = new Map(taken.map((label, place) => [label, place]))
  const kept = new Float32Array(taken.length * width)
  for (const [place, label] of taken.entries())
    kept.set(centres.subarray(label * width, (label + 1) * width), place * width)
  return {
    labels: labels.map((label) => places.get(label) ?? 0),
    centres: kept,
    count: taken.length,
    objective,
  }
}

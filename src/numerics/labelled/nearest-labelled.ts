/** Finds for each row the labelled rows that are most like it, as exactly as float64 tells, and lets them vote on its class. */
import { pausesFor } from '../pauses.js'
import { checkRows, type ProductOptions, type Products, plainProducts } from '../products.js'

/** Lists the rows nearest to each of Q. */
export interface Neighbours {
  /** Counts the neighbours of a row, k. */
  readonly count: number
  /** [Q, k] Numbers the rows, nearest first; of equal ones the earlier row. -1 where there are no more. */
  readonly rows: Int32Array
  /** [Q, k] Is their cosine, of float64 sums. */
  readonly similarities: Float64Array
  /** Counts the rows whose k-th and next neighbour are equally near: which of the two votes is decided by their order alone. */
  readonly ties: number
}

/** Says among which rows neighbours are looked for. */
export interface NeighbourOptions extends ProductOptions {
  /** Computes products; default: in plain loops. They only preselect: what is near the border is computed anew in float64. */
  readonly products?: Products | undefined
  /** [Q] and [N]: rows of a query's own group are no neighbours of it. Where queries are the rows themselves, groups of one leave out the row alone. */
  readonly groups?: { readonly queries: Int32Array; readonly rows: Int32Array } | undefined
}

/** So many similarities are held at once. */
const MOST_HELD = 1 << 22
/** Is more than a product of float32 rows of length 1 can be wrong by. */
const ROUNDING = 1e-5
/** Cosines that are so near are equal: they differ by the rounding of float64 sums. */
const EQUAL = 1e-12

/** Finds for each of `queries` [Q, D] the `count` of `rows` [N, D] with the largest cosine. All have length 1. Throws RangeError for parts of rows or none; the signal's reason. */
export async function nearestLabelled(
  queries: Float32Array,
  rows: Float32Array,
  width: number,
  count: number,
  { products = plainProducts, groups, signal }: NeighbourOptions = {},
): Promise<Neighbours> {
  const total = checkRows([rows], width)
  const asked = checkRows([queries], width)
  if (!(Number.isInteger(count) && count >= 1)) throw new RangeError(`There are no ${count} neighbours.`)
  const found = {
    count,
    rows: new Int32Array(asked * count).fill(-1),
    similarities: new Float64Array(asked * count),
    ties: 0,
  }
  const pause = pausesFor(signal)
  const atOnce = Math.max(1, Math.floor(MOST_HELD / total))
  for (let first = 0; first < asked; first += atOnce) {
    const some = queries.subarray(first * width, Math.min(asked, first + atOnce) * width)
    const alike = await products.similarity(some, rows, width, { signal })
    for (let i = 0; i < some.length / width; i++) {
      const query = first + i
      const allowed = (row: number) => groups === undefined || groups.rows[row] !== groups.queries[query]
      const candidates = preselect(alike.subarray(i * total, (i + 1) * total), count, allowed)
      const exact = candidates.map((row) => ({ row, cosine: cosineOf(queries, query, rows, row, width) }))
      exact.sort((a, b) => b.cosine - a.cosine || a.row - b.row)
      for (let k = 0; k < Math.min(count, exact.length); k++) {
        found.rows[query * count + k] = exact[k].row
        found.similarities[query * count + k] = exact[k].cosine
      }
      if (exact.length > count && exact[count - 1].cosine - exact[count].cosine <= EQUAL) found.ties++
      await pause()
    }
  }
  return found
}

/** Lists the rows that may be among the nearest, however the products were rounded. */
function preselect(alike: Float32Array, count: number, allowed: (row: number) => boolean): number[] {
  const border = kthLargest(alike, count, allowed) - 2 * ROUNDING
  const rows: number[] = []
  for (let row = 0; row < alike.length; row++) if (alike[row] >= border && allowed(row)) rows.push(row)
  return rows
}

/** Keeps the largest in order by insertion: few of many come before the last that is kept. */
function kthLargest(values: Float32Array, count: number, allowed: (row: number) => boolean): number {
  const largest = new Float64Array(count).fill(Number.NEGATIVE_INFINITY)
  for (let row = 0; row < values.length; row++) {
    if (!(values[row] > largest[count - 1]) || !allowed(row)) continue
    let at = count - 1
    for (; at > 0 && largest[at - 1] < values[row]; at--) largest[at] = largest[at - 1]
    largest[at] = values[row]
  }
  return largest[count - 1]
}

function cosineOf(a: Float32Array, rowA: number, b: Float32Array, rowB: number, width: number): number {
  let [product, squareA, squareB] = [0, 0, 0]
  for (let i = 0; i < width; i++) {
    const [x, y] = [a[rowA * width + i], b[rowB * width + i]]
    product += x * y
    squareA += x * x
    squareB += y * y
  }
  const lengths = Math.sqrt(squareA * squareB)
  return lengths === 0 ? 0 : product / lengths
}

/**
 * Says how much a neighbour's vote counts: `softmax` as in DINO's evaluation, exp(cosine / T) of all; `uniform` and `distance` as scikit-learn has them for the
 * cosine distance, where neighbours at distance 0 outvote all others.
 */
export type VoteWeights = 'softmax' | 'uniform' | 'distance'

/** Is the temperature of DINO's evaluation (Caron and others, "Emerging properties in self-supervised vision transformers", 2021, appendix). */
export const VOTE_TEMPERATURE = 0.07
/** Is how many neighbours vote there. */
export const VOTE_NEIGHBOURS = 20

/**
 * Gives each row's share of the votes for each class, [Q, K], from the labels of the rows that are its neighbours. A row without neighbours has zeros. Who wins
 * is the largest share, of equal ones the class of the lowest number, as in scikit-learn.
 */
export function voteShares(
  { count, rows, similarities }: Neighbours,
  labels: Int32Array,
  classes: number,
  { weights = 'softmax' as VoteWeights, temperature = VOTE_TEMPERATURE } = {},
): Float64Array {
  const queries = rows.length / count
  const shares = new Float64Array(queries * classes)
  for (let query = 0; query < queries; query++) {
    const at = query * count
    const votes = votesOf(similarities.subarray(at, at + countOf(rows, at, count)), weights, temperature)
    let sum = 0
    for (const vote of votes) sum += vote
    for (let k = 0; k < votes.length; k++) shares[query * classes + labels[rows[at + k]]] += votes[k] / sum
  }
  return shares
}

function countOf(rows: Int32Array, at: number, count: number): number {
  let found = 0
  while (found < count && rows[at + found] >= 0) found++
  return found
}

function votesOf(similarities: Float64Array, weights: VoteWeights, temperature: number): Float64Array {
  if (weights === 'uniform') return new Float64Array(similarities.length).fill(1)
  if (weights === 'softmax')
    return similarities.map((cosine) => Math.exp((cosine - similarities[0]) / temperature))
  const isSame = similarities.map((cosine) => (1 - cosine <= EQUAL ? 1 : 0))
  return isSame.includes(1) ? isSame : similarities.map((cosine) => 1 / (1 - cosine))
}

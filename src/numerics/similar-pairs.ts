/** Finds which rows are most like each other, a few rows at a time, so that memory does not grow with the square of their number. */
import { type Products, plainProducts } from './products.js'

/** Is a pair of rows, the lower number first. */
export interface SimilarPair {
  readonly first: number
  readonly second: number
  /** Is their product: the cosine, where both have length 1. */
  readonly similarity: number
}

/** Says which pairs are wanted. */
export interface SimilarPairsOptions {
  /** Bounds the partners of each row; a row may be a partner of more. */
  readonly most: number
  /** Leaves out pairs that are less alike. */
  readonly minSimilarity: number
  /** Computes the products; default: plain loops. */
  readonly products?: Pick<Products, 'similarity'>
  /** Ends the work, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

/** Is how many products are there at a time: 64 MB of them. */
const PRODUCTS_AT_A_TIME = 2 ** 24

/** Compares all `rows` [N, D] of length 1 with all. Gives each pair once, the most alike first, equal ones by their numbers. Takes N^2 D products. */
export async function similarPairs(
  rows: Float32Array,
  width: number,
  { most, minSimilarity, products = plainProducts, signal }: SimilarPairsOptions,
): Promise<readonly SimilarPair[]> {
  const count = rows.length / width
  const atATime = Math.max(1, Math.min(1024, Math.floor(PRODUCTS_AT_A_TIME / Math.max(1, count))))
  const found = new Map<number, SimilarPair>()
  for (let start = 0; start < count; start += atATime) {
    signal?.throwIfAborted()
    const end = Math.min(count, start + atATime)
    const block = rows.subarray(start * width, end * width)
    const similarities = await products.similarity(block, rows, width, { signal })
    for (let row = start; row < end; row++) {
      const own = similarities.subarray((row - start) * count, (row - start + 1) * count)
      for (const other of partnersOf(row, own, most, minSimilarity)) {
        const [first, second] = row < other ? [row, other] : [other, row]
        // The product of the pair with its rows the other way round may differ in the last bit: the first one counts.
        const key = first * count + second
        if (!found.has(key)) found.set(key, { first, second, similarity: own[other] })
      }
    }
  }
  return [...found.values()].sort(
    (a, b) => b.similarity - a.similarity || a.first - b.first || a.second - b.second,
  )
}

/** Keeps the best few in order while the row passes; of equal ones the lower number is kept. */
function partnersOf(row: number, own: Float32Array, most: number, minSimilarity: number): readonly number[] {
  const best: number[] = []
  let least = minSimilarity
  for (let other = 0; other < own.length; other++) {
    const similarity = own[other]
    if (!(similarity >= least) || other === row) continue
    if (best.length === most && similarity === own[best[most - 1]]) continue
    let at = Math.min(best.length, most - 1)
    for (; at > 0 && own[best[at - 1]] < similarity; at--) best[at] = best[at - 1]
    best[at] = other
    if (best.length === most) least = Math.max(minSimilarity, own[best[most - 1]])
  }
  return best
}

/** Chooses what is worth labelling next: rows of which a classifier is unsure, and which are not like each other. */
import { pausesFor } from '../pauses.js'
import { checkRows, type ProductOptions, type Products, plainProducts } from '../products.js'

/** Says what unsure means: `margin` is how near the two likeliest classes are, `entropy` how evenly all of them. */
export type Unsureness = 'margin' | 'entropy'

/** Says how rows are chosen. */
export interface ChooseOptions extends ProductOptions {
  /** Computes products; default: in plain loops. */
  readonly products?: Products | undefined
}

/** So many times as many rows as are wanted, the least sure ones, are looked through. */
const POOL = 20

/** Says of each row of probabilities [N, K] how unsure it is, from 0 to 1. */
export function unsureness(
  probabilities: Float64Array,
  classes: number,
  by: Unsureness = 'margin',
): Float64Array {
  return Float64Array.from({ length: probabilities.length / classes }, (_, row) => {
    const own = probabilities.subarray(row * classes, (row + 1) * classes)
    return by === 'margin' ? 1 - marginOf(own) : entropyOf(own) / Math.log(classes)
  })
}

function marginOf(probabilities: Float64Array): number {
  let [best, second] = [0, 0]
  for (const probability of probabilities) {
    if (probability > best) {
      second = best
      best = probability
    } else second = Math.max(second, probability)
  }
  return best - second
}

function entropyOf(probabilities: Float64Array): number {
  return probabilities.reduce((sum, p) => (p > 0 ? sum - p * Math.log(p) : sum), 0)
}

/**
 * Chooses `count` of rows [N, D], which have length 1: one after the other the row whose unsureness, times its distance (1 - cosine) to the nearest that is
 * chosen already, is largest. Of equal ones it is the first. Throws RangeError for parts of rows or none; the signal's reason.
 */
export async function chooseNext(
  rows: Float32Array,
  width: number,
  unsure: Float64Array,
  count: number,
  { products = plainProducts, signal }: ChooseOptions = {},
): Promise<Int32Array> {
  const total = checkRows([rows], width)
  const order = Int32Array.from(unsure.keys()).sort((a, b) => unsure[b] - unsure[a] || a - b)
  const pool = order.subarray(0, Math.min(total, POOL * count))
  const pooled = new Float32Array(pool.length * width)
  for (let i = 0; i < pool.length; i++)
    pooled.set(rows.subarray(pool[i] * width, (pool[i] + 1) * width), i * width)
  const distance = new Float64Array(pool.length).fill(1)
  const isChosen = new Uint8Array(pool.length)
  const chosen = new Int32Array(Math.min(count, pool.length))
  const pause = pausesFor(signal)
  for (let at = 0; at < chosen.length; at++) {
    await pause()
    let best = -1
    for (let i = 0; i < pool.length; i++) {
      if (isChosen[i] === 1) continue
      if (best < 0 || unsure[pool[i]] * distance[i] > unsure[pool[best]] * distance[best]) best = i
    }
    isChosen[best] = 1
    chosen[at] = pool[best]
    const alike = await products.similarity(
      pooled.subarray(best * width, (best + 1) * width),
      pooled,
      width,
      { signal },
    )
    for (let i = 0; i < pool.length; i++) distance[i] = Math.min(distance[i], Math.max(0, 1 - alike[i]))
  }
  return chosen
}

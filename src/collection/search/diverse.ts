/** Chooses results that differ from each other: maximal marginal relevance (Carbonell and Goldstein, The use of MMR, diversity-based reranking, 1998). */
import { exactDot } from '../../numerics/exact-dot.js'

/**
 * Gives the places of `count` rows in the order in which they are chosen: each time the one for which `balance` times its similarity with the query, less the rest
 * of 1 times its largest similarity with one that was chosen before, is largest; of equals the first.
 *
 * @param similarities [N] are with the query
 * @param rows [N, D] have length 1
 * @param balance 1 gives the order of similarity, 0 looks at differences alone
 */
export function diversePlaces(
  similarities: ArrayLike<number>,
  rows: Float32Array,
  width: number,
  count: number,
  balance: number,
): readonly number[] {
  const total = similarities.length
  const nearestChosen = new Float64Array(total).fill(Number.NEGATIVE_INFINITY)
  const isLeft = new Uint8Array(total).fill(1)
  const chosen: number[] = []
  while (chosen.length < Math.min(count, total)) {
    let best = -1
    let bestWorth = Number.NEGATIVE_INFINITY
    for (let place = 0; place < total; place++) {
      if (isLeft[place] === 0) continue
      const near = chosen.length === 0 ? 0 : (nearestChosen[place] ?? 0)
      const worth = balance * (similarities[place] ?? 0) - (1 - balance) * near
      if (worth > bestWorth) [best, bestWorth] = [place, worth]
    }
    if (best < 0) break
    chosen.push(best)
    isLeft[best] = 0
    for (let place = 0; place < total; place++) {
      const near = exactDot(rows, best * width, rows, place * width, width)
      if (near > (nearestChosen[place] ?? 0) || chosen.length === 1) nearestChosen[place] = near
    }
  }
  return chosen
}

/** Says how much nearer rows are to their own group than to the next one. */
import { distanceOf } from './spanning-tree.js'

/**
 * Computes the mean silhouette (Rousseeuw 1987) of rows by the Euclidean distances of their directions: from -1 to 1, where 1 is groups far apart and 0 groups that
 * might as well be others. A row alone in its group counts 0. `similarities` [N, N] are the cosines of all rows, `labels` their groups, 0 to `count` - 1. It is
 * 0 where all are one group.
 */
export function silhouette(similarities: Float32Array, labels: Int32Array, count: number): number {
  const total = labels.length
  const sizes = new Float64Array(count)
  for (const label of labels) sizes[label]++
  if (sizes.filter((size) => size > 0).length < 2) return 0
  const sums = new Float64Array(count)
  let all = 0
  for (let row = 0; row < total; row++) {
    sums.fill(0)
    for (let other = 0; other < total; other++)
      if (other !== row) sums[labels[other]] += distanceOf(similarities[row * total + other])
    const own = labels[row]
    if (sizes[own] === 1) continue
    const inside = sums[own] / (sizes[own] - 1)
    let outside = Number.POSITIVE_INFINITY
    for (let group = 0; group < count; group++)
      if (group !== own && sizes[group] > 0) outside = Math.min(outside, sums[group] / sizes[group])
    all += (outside - inside) / Math.max(inside, outside)
  }
  return all / total
}

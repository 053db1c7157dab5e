/** Finds the threshold that makes two groups of values (N. Otsu, A threshold selection method from gray-level histograms, 1979). */

export interface OtsuThreshold {
  /** Lies in the middle between the largest value of the lower group and the least of the upper one. */
  readonly threshold: number
  /** Is the share of the variance that lies between the groups, 0 to 1: Otsu's eta. It is 2 / pi where all values are of one normal distribution. */
  readonly separability: number
}

/** Tries every place between two values that differ, so that there is no histogram whose steps would matter. Throws RangeError for no values, and for a NaN. */
export function otsuThreshold(values: ArrayLike<number>): OtsuThreshold {
  const sorted = Float64Array.from(values).sort()
  const count = sorted.length
  if (count === 0) throw new RangeError('There are no values to find a threshold of.')
  if (Number.isNaN(sorted[count - 1]))
    throw new RangeError('A threshold of values among which a NaN is says nothing.')
  const mean = sorted.reduce((sum, value) => sum + value, 0) / count
  let variance = 0
  for (const value of sorted) variance += (value - mean) ** 2
  let best = { between: 0, threshold: sorted[0] }
  let below = 0
  for (let i = 0; i + 1 < count; i++) {
    below += sorted[i] - mean
    if (sorted[i] === sorted[i + 1]) continue
    // With sums of what differs from the mean, the variance between the groups is below^2 (1 / n + 1 / m).
    const between = below * below * (1 / (i + 1) + 1 / (count - 1 - i))
    if (between > best.between) best = { between, threshold: (sorted[i] + sorted[i + 1]) / 2 }
  }
  return { threshold: best.threshold, separability: variance > 0 ? Math.min(1, best.between / variance) : 0 }
}

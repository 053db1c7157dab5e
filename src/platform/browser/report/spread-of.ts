/** Says how alike is much and how alike is little, for one search over all photos: cosines of all patches of a model may lie close together. */
import { concatenate } from '../../../tensor/concatenate.js'

export interface Spread {
  /** A similarity up to this is shown as nothing. */
  readonly low: number
  /** A similarity from this on is shown as all. */
  readonly high: number
}

/** Half of all patches are shown as nothing, and the nearest two hundredths as all. */
export function spreadOf(maps: readonly Float32Array[]): Spread {
  const all = concatenate(maps).sort()
  const quantile = (share: number) => all[Math.min(all.length - 1, Math.floor(share * all.length))] ?? 0
  return { low: quantile(0.5), high: quantile(0.995) }
}

export function shareOf(value: number, { low, high }: Spread): number {
  return Math.min(1, Math.max(0, (value - low) / Math.max(1e-6, high - low)))
}

/** Says whether one of two ways to tell classes is better on the same rows, or only looks so. */
import { type BootstrapOptions, bootstrapMean, type Interval } from './class-metrics.js'

/** Compares two ways, row by row. */
export interface PairedTest {
  /** Counts the rows that only the first has right. */
  readonly onlyFirst: number
  /** Counts the rows that only the second has right. */
  readonly onlySecond: number
  /** Is the chance that rows of which either is as likely right fall apart as far: McNemar's test, exact and two-sided. */
  readonly p: number
  /** Is the accuracy of the second less that of the first. */
  readonly difference: number
  /** Is the interval of the difference, rows drawn in pairs. */
  readonly interval: Interval
}

/** Compares what is right, 1, and wrong, 0, of the same rows [N]. Throws RangeError for lists of different lengths, or of none; the signal's reason. */
export async function comparePaired(
  first: Uint8Array,
  second: Uint8Array,
  options: BootstrapOptions = {},
): Promise<PairedTest> {
  if (first.length !== second.length || first.length === 0)
    throw new RangeError(`Pairs are two lists of one length; found ${first.length} and ${second.length}.`)
  const differences = Int8Array.from(second, (right, row) => right - first[row])
  const onlyFirst = differences.filter((difference) => difference < 0).length
  const onlySecond = differences.filter((difference) => difference > 0).length
  return {
    onlyFirst,
    onlySecond,
    p: mcNemar(onlyFirst, onlySecond),
    difference: (onlySecond - onlyFirst) / first.length,
    interval: await bootstrapMean(differences, options),
  }
}

/** Gives the chance that of `a + b` throws of a coin so few, or fewer, show the rarer side, twice: the exact test of McNemar (1947). */
export function mcNemar(a: number, b: number): number {
  const total = a + b
  // Terms of the binomial are added in logarithms from the smallest: 2^-n would be 0 from a thousand pairs on.
  let term = -total * Math.LN2
  let chance = Math.exp(term)
  for (let k = 1; k <= Math.min(a, b); k++) {
    term += Math.log((total - k + 1) / k)
    chance += Math.exp(term)
  }
  return Math.min(1, 2 * chance)
}

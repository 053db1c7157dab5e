/** Compares two pictures that lie on each other, block by block, so that what was changed all over (compression, brightness, colour) is told from what is another picture. */
import type { Grey } from './reduce-pixels.js'

/** Says how far two pictures that lie on each other agree. */
export interface Agreement {
  /** Counts the blocks that both pictures cover. */
  readonly blocks: number
  /** Counts those of them in which at least one picture shows something. */
  readonly textured: number
  /** Is the share of textured blocks that agree. */
  readonly agreeing: number
  /** Is the mean correlation of the textured blocks. */
  readonly correlation: number
  /** Is the correlation that 5 % of the textured blocks do not reach. */
  readonly low: number
}

/** Is the side of a block in pixels. */
const BLOCK = 12
/** Is the standard deviation in grey levels above which a block shows something that compression keeps. */
const TEXTURE = 6
/** Is the correlation from which on a block agrees. */
const AGREES = 0.8

/** Compares `first` with `laid`, the second picture in the first's pixels (NaN where it has none), whose brightness is `gain` times the first's. */
export function compareLaidOver(first: Grey, laid: Grey, gain: number): Agreement {
  const correlations: number[] = []
  let blocks = 0
  for (let top = 0; top + BLOCK <= first.height; top += BLOCK)
    for (let left = 0; left + BLOCK <= first.width; left += BLOCK) {
      const block = correlationOf(first, laid, top, left)
      if (block === null) continue
      blocks++
      if (Math.max(block.first * Math.abs(gain), block.second) >= TEXTURE) correlations.push(block.correlation)
    }
  correlations.sort((a, b) => a - b)
  const textured = correlations.length
  return {
    blocks,
    textured,
    agreeing: textured === 0 ? 0 : correlations.filter((one) => one >= AGREES).length / textured,
    correlation: textured === 0 ? 0 : correlations.reduce((sum, one) => sum + one, 0) / textured,
    low: correlations[Math.floor(0.05 * textured)] ?? 0,
  }
}

function correlationOf(first: Grey, laid: Grey, top: number, left: number) {
  let [a, b, aa, bb, ab] = [0, 0, 0, 0, 0]
  for (let y = top; y < top + BLOCK; y++)
    for (let x = left; x < left + BLOCK; x++) {
      const [p, q] = [first.data[y * first.width + x], laid.data[y * first.width + x]]
      a += p
      b += q
      aa += p * p
      bb += q * q
      ab += p * q
    }
  if (Number.isNaN(b)) return null
  const count = BLOCK * BLOCK
  const [va, vb] = [Math.max(0, aa / count - (a / count) ** 2), Math.max(0, bb / count - (b / count) ** 2)]
  const covariance = ab / count - (a * b) / count / count
  return {
    first: Math.sqrt(va),
    second: Math.sqrt(vb),
    correlation: va > 0 && vb > 0 ? covariance / Math.sqrt(va * vb) : 0,
  }
}

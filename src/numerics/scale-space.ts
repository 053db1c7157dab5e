/** Blurs a picture more and more, at a few sizes (the scale space of Lowe 2004, section 3), so that things can be looked at as large as they are. */
import type { GreyPixels } from './reduce-pixels.js'

/** Holds pictures of one size, each more blurred than the one before. */
export interface Octave {
  /** Is how many pixels of the first picture one of these is, 1, 2, 4, … */
  readonly step: number
  /** Lists the pictures; number s is blurred by `BASE_BLUR` * 2^(s / `INTERVALS`) of its own pixels. */
  readonly levels: readonly GreyPixels[]
}

/** Counts the blurs in which the width doubles. */
export const INTERVALS = 3
/** Is the standard deviation of an octave's first blur in its own pixels. */
export const BASE_BLUR = 1.6

/** Is what a camera, or reducing, has blurred already. */
const OWN_BLUR = 0.5
/** A smaller picture shows no places. */
const SMALLEST_SIDE = 24

/** Makes octaves until a side would be shorter than 24 pixels. */
export function scaleSpace(picture: GreyPixels): readonly Octave[] {
  const octaves: Octave[] = []
  let first = blur(picture, Math.sqrt(BASE_BLUR ** 2 - OWN_BLUR ** 2))
  for (let step = 1; Math.min(first.height, first.width) >= SMALLEST_SIDE; step *= 2) {
    const levels = [first]
    for (let s = 1; s < INTERVALS + 3; s++) {
      const [before, after] = [BASE_BLUR * 2 ** ((s - 1) / INTERVALS), BASE_BLUR * 2 ** (s / INTERVALS)]
      levels.push(blur(levels[s - 1], Math.sqrt(after ** 2 - before ** 2)))
    }
    octaves.push({ step, levels })
    first = everySecond(levels[INTERVALS])
  }
  return octaves
}

/** Blurs with a Gauss filter of standard deviation `sigma`, cut off at three of them; beyond its edges the picture goes on as at them. */
export function blur({ height, width, data }: GreyPixels, sigma: number): GreyPixels {
  const weights = gaussOf(sigma)
  const reach = weights.length - 1
  const across = new Float32Array(data.length)
  const line = new Float64Array(width + 2 * reach)
  for (let y = 0; y < height; y++) {
    for (let i = 0; i < line.length; i++) line[i] = data[y * width + clamp(i - reach, width)]
    for (let x = 0, to = y * width; x < width; x++, to++) {
      const middle = x + reach
      let sum = weights[0] * line[middle]
      for (let k = 1; k <= reach; k++) sum += weights[k] * (line[middle - k] + line[middle + k])
      across[to] = sum
    }
  }
  const out = new Float32Array(data.length)
  const sums = new Float64Array(width)
  for (let y = 0; y < height; y++) {
    const from = y * width
    for (let x = 0; x < width; x++) sums[x] = weights[0] * across[from + x]
    for (let k = 1; k <= reach; k++) {
      const [above, below, weight] = [clamp(y - k, height) * width, clamp(y + k, height) * width, weights[k]]
      for (let x = 0; x < width; x++) sums[x] += weight * (across[above + x] + across[below + x])
    }
    out.set(sums, from)
  }
  return { height, width, data: out }
}

/** Gives the weights of the middle and of what lies one, two … pixels beside it, on either side. */
function gaussOf(sigma: number): Float64Array {
  const reach = Math.max(1, Math.ceil(3 * sigma))
  const weights = Float64Array.from({ length: reach + 1 }, (_, i) => Math.exp(-(i ** 2) / (2 * sigma ** 2)))
  const sum = weights.reduce((total, one) => total + 2 * one, -weights[0])
  return weights.map((one) => one / sum)
}

function clamp(at: number, length: number): number {
  return Math.min(length - 1, Math.max(0, at))
}

function everySecond({ height, width, data }: GreyPixels): GreyPixels {
  const [rows, columns] = [Math.ceil(height / 2), Math.ceil(width / 2)]
  const out = new Float32Array(rows * columns)
  for (let y = 0; y < rows; y++)
    for (let x = 0; x < columns; x++) out[y * columns + x] = data[2 * y * width + 2 * x]
  return { height: rows, width: columns, data: out }
}

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
  const kernel = gaussOf(sigma)
  const across = new Float32Array(data.length)
  const line = new Float32Array(Math.max(height, width) + kernel.length)
  const reach = (kernel.length - 1) / 2
  for (let y = 0; y < height; y++) {
    for (let i = 0; i < width + 2 * reach; i++) line[i] = data[y * width + clamp(i - reach, width)]
    for (let x = 0; x < width; x++) {
      let sum = 0
      for (let k = 0; k < kernel.length; k++) sum += kernel[k] * line[x + k]
      across[y * width + x] = sum
    }
  }
  const out = new Float32Array(data.length)
  for (let y = 0; y < height; y++)
    for (let k = 0; k < kernel.length; k++) {
      const [from, weight] = [clamp(y + k - reach, height) * width, kernel[k]]
      for (let x = 0, to = y * width; x < width; x++, to++) out[to] += weight * across[from + x]
    }
  return { height, width, data: out }
}

function gaussOf(sigma: number): Float64Array {
  const reach = Math.max(1, Math.ceil(3 * sigma))
  const kernel = Float64Array.from({ length: 2 * reach + 1 }, (_, i) =>
    Math.exp(-((i - reach) ** 2) / (2 * sigma ** 2)),
  )
  const sum = kernel.reduce((total, one) => total + one, 0)
  return kernel.map((one) => one / sum)
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

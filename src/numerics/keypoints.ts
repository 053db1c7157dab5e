/**
 * Finds places of a grey picture that are found again in a copy of it that is smaller, turned or cut, and describes each by the gradients around it (D. Lowe 2004,
 * "Distinctive Image Features from Scale-Invariant Keypoints"; descriptors are compared by their square roots: Arandjelović and Zisserman 2012, "Three Things Everyone
 * Should Know to Improve Object Retrieval").
 */
import type { GreyPixels } from './reduce-pixels.js'
import { BASE_BLUR, INTERVALS, type Octave, scaleSpace } from './scale-space.js'

/** Holds the places of one picture, the one of most contrast first. */
export interface Keypoints {
  /** Counts the places, N. */
  readonly count: number
  /** [N, 4] has x, y (the middle of the first pixel is 0, 0) and size in pixels, and the angle in radians, from x towards y. */
  readonly places: Float64Array
  /** [N, 128] has the square roots of 4 x 4 x 8 sums of gradients that total 1, so that the rows have length 1. */
  readonly descriptors: Float32Array
}

const CELLS = 4
const BINS = 8

/** Counts the values of a descriptor. */
export const DESCRIPTOR_WIDTH = CELLS * CELLS * BINS

/** Is the least difference of two blurs, in grey levels, that is no noise of a JPEG. */
const LEAST_CONTRAST = 1.5
/** On an edge, where the curvature one way is more than so many times that the other way, the place along it is not known. */
const MOST_CURVATURE_RATIO = 10
const ANGLES = 36
/** Directions with at least this part of the strongest one's gradients make a place of their own. */
const SECOND_ANGLE = 0.8
const MOST_OF_A_BIN = 0.2

/** Holds how strong the gradient of each pixel of a picture is, and its angle in radians; 0 at the edges. */
interface Gradients {
  readonly strength: Float32Array
  readonly angle: Float32Array
}

interface Extremum {
  readonly octave: Octave
  readonly level: number
  readonly gradients: Gradients
  /** Are in pixels of the octave. */
  readonly x: number
  readonly y: number
  readonly contrast: number
}

/** Finds at most `limit` places. */
export function findKeypoints(picture: GreyPixels, limit: number): Keypoints {
  const found: Extremum[] = []
  for (const octave of scaleSpace(picture)) collectExtrema(octave, found)
  // Of equal contrast the order in which they were found decides, which is the same each time.
  const strongest = found.sort((a, b) => b.contrast - a.contrast).slice(0, limit)
  const oriented = strongest.flatMap((one) => anglesOf(one).map((angle) => ({ one, angle }))).slice(0, limit)
  const places = new Float64Array(oriented.length * 4)
  const descriptors = new Float32Array(oriented.length * DESCRIPTOR_WIDTH)
  for (const [i, { one, angle }] of oriented.entries()) {
    const { step } = one.octave
    places.set([one.x * step, one.y * step, blurOf(one.level) * step, angle], i * 4)
    descriptors.set(describe(one, angle), i * DESCRIPTOR_WIDTH)
  }
  return { count: oriented.length, places, descriptors }
}

/** Gives the places as the mirrored picture (left for right, `width` pixels wide) has them. */
export function mirrorKeypoints({ count, places, descriptors }: Keypoints, width: number): Keypoints {
  const mirrored = { count, places: places.slice(), descriptors: new Float32Array(descriptors.length) }
  for (let i = 0; i < count; i++) {
    mirrored.places[i * 4] = width - 1 - places[i * 4]
    mirrored.places[i * 4 + 3] = Math.PI - places[i * 4 + 3]
    for (let row = 0; row < CELLS; row++)
      for (let column = 0; column < CELLS; column++)
        for (let bin = 0; bin < BINS; bin++) {
          const from = (row * CELLS + column) * BINS + bin
          const to = ((CELLS - 1 - row) * CELLS + column) * BINS + ((BINS - bin) % BINS)
          mirrored.descriptors[i * DESCRIPTOR_WIDTH + to] = descriptors[i * DESCRIPTOR_WIDTH + from]
        }
  }
  return mirrored
}

function blurOf(level: number): number {
  return BASE_BLUR * 2 ** (level / INTERVALS)
}

/** Collects places whose difference of blurs is above, or below, that of all 26 neighbours. */
function collectExtrema(octave: Octave, found: Extremum[]): void {
  const { levels } = octave
  const { height, width } = levels[0]
  let gradients: Gradients | null = null
  const differences = levels.slice(1).map(({ data }, s) => data.map((value, i) => value - levels[s].data[i]))
  for (let s = 1; s <= INTERVALS; s++) {
    const [below, own, above] = [differences[s - 1], differences[s], differences[s + 1]]
    gradients = null
    for (let y = 2; y < height - 2; y++)
      for (let x = 2; x < width - 2; x++) {
        const at = y * width + x
        const value = own[at]
        if (Math.abs(value) < LEAST_CONTRAST) continue
        if (!isExtreme(value, at, width, own, below, above) || isEdge(own, at, width)) continue
        // Windows of places overlap many times over: each pixel's gradient is worked out once.
        gradients ??= gradientsOf(levels[s])
        found.push({
          octave,
          level: s,
          gradients,
          x: x + peakOf(own[at - 1], value, own[at + 1]),
          y: y + peakOf(own[at - width], value, own[at + width]),
          contrast: Math.abs(value),
        })
      }
  }
}

function gradientsOf({ height, width, data }: GreyPixels): Gradients {
  const [strength, angle] = [new Float32Array(data.length), new Float32Array(data.length)]
  for (let y = 1; y < height - 1; y++)
    for (let at = y * width + 1; at < (y + 1) * width - 1; at++) {
      const [dx, dy] = [data[at + 1] - data[at - 1], data[at + width] - data[at - width]]
      strength[at] = Math.sqrt(dx * dx + dy * dy)
      angle[at] = Math.atan2(dy, dx)
    }
  return { strength, angle }
}

function isExtreme(
  value: number,
  at: number,
  width: number,
  own: Float32Array,
  below: Float32Array,
  above: Float32Array,
): boolean {
  const sign = value > 0 ? 1 : -1
  const most = sign * value
  for (let row = -width; row <= width; row += width)
    for (let i = at + row - 1; i <= at + row + 1; i++) {
      if (sign * below[i] >= most || sign * above[i] >= most) return false
      if (i !== at && sign * own[i] >= most) return false
    }
  return true
}

function isEdge(data: Float32Array, at: number, width: number): boolean {
  const xx = data[at - 1] + data[at + 1] - 2 * data[at]
  const yy = data[at - width] + data[at + width] - 2 * data[at]
  const xy = (data[at + width + 1] - data[at + width - 1] - data[at - width + 1] + data[at - width - 1]) / 4
  const determinant = xx * yy - xy * xy
  const ratio = MOST_CURVATURE_RATIO
  return determinant <= 0 || (xx + yy) ** 2 * ratio >= (ratio + 1) ** 2 * determinant
}

/** Says how far from the middle one of three values a parabola through them has its peak. */
function peakOf(before: number, value: number, after: number): number {
  const curvature = before + after - 2 * value
  return curvature === 0 ? 0 : Math.max(-0.5, Math.min(0.5, (before - after) / (2 * curvature)))
}

/** Gives the angles that most gradients around a place have. */
function anglesOf({ octave, level, gradients, x, y }: Extremum): readonly number[] {
  const { height, width } = octave.levels[level]
  const sigma = 1.5 * blurOf(level)
  const reach = Math.round(3 * sigma)
  const [left, top] = [Math.round(x), Math.round(y)]
  const bins = new Float64Array(ANGLES)
  for (let row = Math.max(1, top - reach); row <= Math.min(height - 2, top + reach); row++)
    for (let column = Math.max(1, left - reach); column <= Math.min(width - 2, left + reach); column++) {
      const at = row * width + column
      const weight = Math.exp(-((column - x) ** 2 + (row - y) ** 2) / (2 * sigma ** 2))
      const bin = Math.round((gradients.angle[at] / (2 * Math.PI)) * ANGLES)
      bins[(bin + ANGLES) % ANGLES] += weight * gradients.strength[at]
    }
  const smooth = bins.map(
    (bin, i) => (bins[(i + ANGLES - 1) % ANGLES] + 2 * bin + bins[(i + 1) % ANGLES]) / 4,
  )
  const most = Math.max(...smooth)
  const angles: number[] = []
  for (const [i, bin] of smooth.entries()) {
    const [before, after] = [smooth[(i + ANGLES - 1) % ANGLES], smooth[(i + 1) % ANGLES]]
    if (bin >= SECOND_ANGLE * most && bin > before && bin >= after)
      angles.push(((i + peakOf(before, bin, after)) / ANGLES) * 2 * Math.PI)
  }
  return angles
}

/** Sums up gradients around a place, seen from its own angle, in 4 x 4 cells of three times its blur and 8 directions. */
function describe({ octave, level, gradients, x, y }: Extremum, angle: number): Float32Array {
  const { height, width } = octave.levels[level]
  const cell = 3 * blurOf(level)
  const [cosine, sine] = [Math.cos(angle) / cell, Math.sin(angle) / cell]
  const reach = Math.round((cell * Math.SQRT2 * (CELLS + 1)) / 2)
  const [left, top] = [Math.round(x), Math.round(y)]
  const sums = new Float32Array(DESCRIPTOR_WIDTH)
  for (let row = Math.max(1, top - reach); row <= Math.min(height - 2, top + reach); row++)
    for (let column = Math.max(1, left - reach); column <= Math.min(width - 2, left + reach); column++) {
      const u = cosine * (column - x) + sine * (row - y)
      const v = cosine * (row - y) - sine * (column - x)
      const half = (CELLS + 1) / 2
      if (Math.abs(u) >= half || Math.abs(v) >= half) continue
      const at = row * width + column
      const weight = Math.exp(-(u * u + v * v) / ((CELLS * CELLS) / 2)) * gradients.strength[at]
      const turn = (gradients.angle[at] - angle) / (2 * Math.PI)
      share(sums, v + (CELLS - 1) / 2, u + (CELLS - 1) / 2, (turn - Math.floor(turn)) * BINS, weight)
    }
  return rooted(sums)
}

/** Shares a gradient out among the two nearest cells each way and the two nearest directions. */
function share(sums: Float32Array, row: number, column: number, bin: number, weight: number): void {
  const [r, c, b] = [Math.floor(row), Math.floor(column), Math.floor(bin)]
  for (let i = 0; i < 2; i++) {
    if (r + i < 0 || r + i >= CELLS) continue
    const alongRow = weight * (i === 0 ? 1 - (row - r) : row - r)
    for (let j = 0; j < 2; j++) {
      if (c + j < 0 || c + j >= CELLS) continue
      const along = alongRow * (j === 0 ? 1 - (column - c) : column - c)
      const at = ((r + i) * CELLS + c + j) * BINS
      sums[at + (b % BINS)] += along * (1 - (bin - b))
      sums[at + ((b + 1) % BINS)] += along * (bin - b)
    }
  }
}

/** Bounds what one strong gradient counts for, and gives the square roots of shares. */
function rooted(sums: Float32Array): Float32Array {
  const length = Math.hypot(...sums)
  if (length === 0) return sums
  let total = 0
  for (let i = 0; i < sums.length; i++) {
    sums[i] = Math.min(sums[i], MOST_OF_A_BIN * length)
    total += sums[i]
  }
  return sums.map((sum) => Math.sqrt(sum / total))
}

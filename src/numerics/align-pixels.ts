/**
 * Brings an affine map between two grey pictures from about right to right within a fraction of a pixel, so that one can be laid over the other and compared: Gauss-Newton on
 * the difference of their pixels (Lucas and Kanade 1981), with a gain and an offset, so that a brighter copy fits as well, and with little weight for pixels that
 * differ by far, so that a watermark does not pull. Pictures are taken from coarse to fine.
 */
import { composeMaps, mapPoints, type PlaneMap } from './plane-map.js'
import type { GreyPixels } from './reduce-pixels.js'
import { blur } from './scale-space.js'
import { solveLinear } from './solve-linear.js'

/** Is a map that has settled, and how the second picture's brightness follows from the first's. */
export interface Alignment {
  /** Takes pixels of the first picture to pixels of the second, whose first pixel's middle is (0, 0). */
  readonly map: PlaneMap
  /** Is what brightness is multiplied by. */
  readonly gain: number
  /** Is what is added then, in grey levels. */
  readonly offset: number
}

/** Is how many pixels of the first picture are looked at, at most about. */
const MOST_SAMPLES = 16_000
const MOST_ROUNDS = 25
/** Is a movement of the corners, in pixels, at which a map has settled. */
const SETTLED = 0.01
/** Is how many of the pixels looked at must lie on the second picture, at the least. */
const LEAST_SAMPLES = 100
/** Is the longer side, in pixels, of the coarsest picture. */
const COARSEST = 40

/** Says how an alignment begins, and where it may end early. */
export interface AlignChoice {
  /** Is the longer side at which it begins, in pixels; default 40. */
  readonly coarsest?: number
  /** Is asked on the way, each time that a map has settled on pictures that are not the largest, whether the larger ones are worth the work; default: they are. */
  readonly isWorth?: (first: GreyPixels, second: GreyPixels, found: Alignment) => boolean
}

/** Gives null where no map settles, where the pictures would no longer lie on each other, and where what has settled is not worth going on. */
export function alignPixels(
  first: GreyPixels,
  second: GreyPixels,
  start: PlaneMap,
  { coarsest = COARSEST, isWorth }: AlignChoice = {},
): Alignment | null {
  let found: Alignment = { map: start, gain: 1, offset: 0 }
  const pairs = [{ first, second }]
  while (Math.max(pairs[0].first.height, pairs[0].first.width) >= 2 * coarsest)
    pairs.unshift({ first: halved(pairs[0].first), second: halved(pairs[0].second) })
  for (const [level, pair] of pairs.entries()) {
    const step = 2 ** (pairs.length - 1 - level)
    const settled = settle(pair.first, pair.second, { ...found, map: rescaled(found.map, 1 / step) })
    if (settled === null) return null
    if (step > 1 && isWorth?.(pair.first, pair.second, settled) === false) return null
    found = { ...settled, map: rescaled(settled.map, step) }
  }
  return found
}

/** Gives the map between pictures whose pixels are `step` times smaller. */
function rescaled(map: PlaneMap, step: number): PlaneMap {
  const move = (step - 1) / 2
  const finer = Float64Array.of(step, 0, move, 0, step, move, 0, 0, 1)
  const coarser = Float64Array.of(1 / step, 0, -move / step, 0, 1 / step, -move / step, 0, 0, 1)
  return composeMaps(finer, composeMaps(map, coarser))
}

function halved(picture: GreyPixels): GreyPixels {
  const { height, width, data } = blur(picture, 0.5)
  const [rows, columns] = [Math.max(1, height >> 1), Math.max(1, width >> 1)]
  const out = new Float32Array(rows * columns)
  for (let y = 0; y < rows; y++)
    for (let x = 0; x < columns; x++) {
      const at = 2 * y * width + 2 * x
      const [right, down] = [Math.min(1, width - 1 - 2 * x), Math.min(1, height - 1 - 2 * y) * width]
      out[y * columns + x] = (data[at] + data[at + right] + data[at + down] + data[at + down + right]) / 4
    }
  return { height: rows, width: columns, data: out }
}

function settle(first: GreyPixels, second: GreyPixels, start: Alignment): Alignment | null {
  // In units of half a side the sums of the normal equations are alike in size.
  const unit = Math.max(first.height, first.width) / 2
  const [centreX, centreY] = [(first.width - 1) / 2, (first.height - 1) / 2]
  const stride = Math.max(1, Math.floor(Math.sqrt((first.height * first.width) / MOST_SAMPLES)))
  let { map, gain, offset } = start
  let spread = 30
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const matrix = new Float64Array(64)
    const right = new Float64Array(8)
    const row = new Float64Array(8)
    let [samples, total] = [0, 0]
    for (let y = 0; y < first.height; y += stride)
      for (let x = 0; x < first.width; x += stride) {
        const u = map[0] * x + map[1] * y + map[2]
        const v = map[3] * x + map[4] * y + map[5]
        // The condition is written so that no number is outside as well.
        if (!(u >= 1 && v >= 1 && u < second.width - 2 && v < second.height - 2)) continue
        const at = Math.floor(v) * second.width + Math.floor(u)
        const value = first.data[y * first.width + x]
        const difference = gain * value + offset - bilinear(second, at, u, v)
        const weight = 1 / (1 + (difference / spread) ** 2)
        const [dx, dy] = slopeAt(second, at, u, v)
        const [nx, ny] = [(x - centreX) / unit, (y - centreY) / unit]
        row[0] = dx * nx
        row[1] = dx * ny
        row[2] = dx
        row[3] = dy * nx
        row[4] = dy * ny
        row[5] = dy
        row[6] = -value
        row[7] = -1
        for (let i = 0; i < 8; i++) {
          for (let j = 0; j <= i; j++) matrix[i * 8 + j] += weight * row[i] * row[j]
          right[i] += weight * row[i] * difference
        }
        samples++
        total += Math.abs(difference)
      }
    if (samples < LEAST_SAMPLES) return null
    for (let i = 0; i < 8; i++) for (let j = i + 1; j < 8; j++) matrix[i * 8 + j] = matrix[j * 8 + i]
    const change = solveLinear(matrix, right)
    if (change === null) return null
    spread = Math.max(2, (1.5 * total) / samples)
    const before = map
    map = changed(map, change, unit, centreX, centreY)
    gain += change[6]
    offset += change[7]
    if (!(Math.abs(gain) > 0.05 && Math.abs(gain) < 20)) return null
    if (movement(before, map, first) < SETTLED) break
  }
  return { map, gain, offset }
}

function changed(
  map: PlaneMap,
  [a, b, c, d, e, f]: Float64Array,
  unit: number,
  x: number,
  y: number,
): PlaneMap {
  const out = map.slice()
  out[0] += a / unit
  out[1] += b / unit
  out[2] += c - (a * x + b * y) / unit
  out[3] += d / unit
  out[4] += e / unit
  out[5] += f - (d * x + e * y) / unit
  return out
}

/** Gives the farthest that a corner of the picture has gone. */
function movement(before: PlaneMap, after: PlaneMap, { height, width }: GreyPixels): number {
  const corners = Float64Array.of(0, 0, width - 1, 0, 0, height - 1, width - 1, height - 1)
  const [a, b] = [mapPoints(before, corners), mapPoints(after, corners)]
  return Math.max(...a.map((value, i) => Math.abs(value - b[i])))
}

function bilinear({ width, data }: GreyPixels, at: number, u: number, v: number): number {
  const [x, y] = [u - Math.floor(u), v - Math.floor(v)]
  const top = data[at] + x * (data[at + 1] - data[at])
  const below = data[at + width] + x * (data[at + width + 1] - data[at + width])
  return top + y * (below - top)
}

function slopeAt({ width, data }: GreyPixels, at: number, u: number, v: number): readonly [number, number] {
  const [x, y] = [u - Math.floor(u), v - Math.floor(v)]
  const dx =
    (1 - y) * ((1 - x) * (data[at + 1] - data[at - 1]) + x * (data[at + 2] - data[at])) +
    y *
      ((1 - x) * (data[at + width + 1] - data[at + width - 1]) +
        x * (data[at + width + 2] - data[at + width]))
  const dy =
    (1 - x) * ((1 - y) * (data[at + width] - data[at - width]) + y * (data[at + 2 * width] - data[at])) +
    x *
      ((1 - y) * (data[at + width + 1] - data[at - width + 1]) +
        y * (data[at + 2 * width + 1] - data[at + 1]))
  return [dx / 2, dy / 2]
}

/** Lays the second picture over the first: gives its values where the first's pixels are, and NaN where it has none. */
export function layOver(
  first: Pick<GreyPixels, 'height' | 'width'>,
  second: GreyPixels,
  map: PlaneMap,
): GreyPixels {
  const { height, width } = first
  const data = new Float32Array(height * width)
  for (let y = 0, i = 0; y < height; y++)
    for (let x = 0; x < width; x++, i++) {
      const u = map[0] * x + map[1] * y + map[2]
      const v = map[3] * x + map[4] * y + map[5]
      const isInside = u >= 0 && v >= 0 && u < second.width - 1 && v < second.height - 1
      data[i] = isInside ? bilinear(second, Math.floor(v) * second.width + Math.floor(u), u, v) : Number.NaN
    }
  return { height, width, data }
}

/**
 * Maps of the plane take straight lines to straight lines: affine ones keep parallels, homographies are what a flat thing goes through between two photos.
 * They are fitted to pairs of points by least squares, in coordinates that are centred and scaled first (Hartley 1997, "In Defense of the Eight-Point
 * Algorithm"); points are [N, 2], x before y.
 */
import { solveLinear } from './solve-linear.js'

/** Is [3, 3], row by row, and takes (x, y, 1) to the third of its row by which the others are divided; the last number is 1. */
export type PlaneMap = Float64Array

/** Names a kind of map: `affine` has six numbers, `homography` eight. */
export type PlaneMapKind = 'affine' | 'homography'

/** Counts the pairs of points that a map is made of. */
export const PAIRS_NEEDED: Readonly<Record<PlaneMapKind, number>> = { affine: 3, homography: 4 }

/** Rounds of reweighting bring the algebraic error to the distance between points, which settles at once where points are near their places. */
const REWEIGHTINGS = 4

/** Takes points [N, 2] through a map. A point that goes to infinity comes out as no number. */
export function mapPoints(map: PlaneMap, points: Float64Array): Float64Array {
  const out = new Float64Array(points.length)
  for (let at = 0; at < points.length; at += 2) {
    const [x, y] = [points[at], points[at + 1]]
    const w = map[6] * x + map[7] * y + map[8]
    out[at] = (map[0] * x + map[1] * y + map[2]) / w
    out[at + 1] = (map[3] * x + map[4] * y + map[5]) / w
  }
  return out
}

/** Takes a map back; gives null for one that takes the plane to a line or a point. */
export function invertMap([a, b, c, d, e, f, g, h, i]: PlaneMap): PlaneMap | null {
  const inverse = Float64Array.of(
    e * i - f * h,
    c * h - b * i,
    b * f - c * e,
    f * g - d * i,
    a * i - c * g,
    c * d - a * f,
    d * h - e * g,
    b * g - a * h,
    a * e - b * d,
  )
  const determinant = a * inverse[0] + b * inverse[3] + c * inverse[6]
  if (!Number.isFinite(determinant) || determinant === 0) return null
  return scaledToOne(inverse)
}

/** Gives the map that does `first` and then `second`. */
export function composeMaps(second: PlaneMap, first: PlaneMap): PlaneMap {
  const out = new Float64Array(9)
  for (let row = 0; row < 3; row++)
    for (let column = 0; column < 3; column++)
      for (let k = 0; k < 3; k++) out[row * 3 + column] += second[row * 3 + k] * first[k * 3 + column]
  return scaledToOne(out)
}

/**
 * Fits a map that takes `from` nearest to `to`. Gives null where the points do not settle one: too few, all on a line, or three of four on one.
 * Throws RangeError for lists of different lengths.
 */
export function fitMap(from: Float64Array, to: Float64Array, kind: PlaneMapKind): PlaneMap | null {
  if (from.length !== to.length || from.length % 2 !== 0)
    throw new RangeError(`${from.length} and ${to.length} numbers are no pairs of points.`)
  if (from.length < 2 * PAIRS_NEEDED[kind]) return null
  const [before, after] = [centring(from), centring(to)]
  if (before === null || after === null) return null
  const [a, b] = [mapPoints(before, from), mapPoints(after, to)]
  const fitted = kind === 'affine' ? affineOf(a, b) : homographyOf(a, b)
  const back = invertMap(after)
  return fitted === null || back === null ? null : composeMaps(back, composeMaps(fitted, before))
}

/** Moves points to their mean and scales them to a mean distance of the square root of 2; gives null where all are one point. */
function centring(points: Float64Array): PlaneMap | null {
  const count = points.length / 2
  let [x, y, distance] = [0, 0, 0]
  for (let at = 0; at < points.length; at += 2) {
    x += points[at] / count
    y += points[at + 1] / count
  }
  for (let at = 0; at < points.length; at += 2)
    distance += Math.hypot(points[at] - x, points[at + 1] - y) / count
  if (!(distance > 0) || !Number.isFinite(distance)) return null
  const scale = Math.SQRT2 / distance
  return Float64Array.of(scale, 0, -scale * x, 0, scale, -scale * y, 0, 0, 1)
}

function affineOf(from: Float64Array, to: Float64Array): PlaneMap | null {
  const rows = [0, 1].map((axis) => {
    const normal = new NormalEquations(3)
    for (let at = 0; at < from.length; at += 2) normal.add([from[at], from[at + 1], 1], to[at + axis], 1)
    return normal.solve()
  })
  const [first, second] = rows
  return first === null || second === null ? null : Float64Array.of(...first, ...second, 0, 0, 1)
}

/** The last number is set to 1: in centred coordinates it is not 0, since the centre of what was photographed is not at infinity. */
function homographyOf(from: Float64Array, to: Float64Array): PlaneMap | null {
  let map: PlaneMap | null = null
  for (let round = 0; round <= REWEIGHTINGS; round++) {
    const normal = new NormalEquations(8)
    for (let at = 0; at < from.length; at += 2) {
      const [x, y, u, v] = [from[at], from[at + 1], to[at], to[at + 1]]
      const w: number = map === null ? 1 : map[6] * x + map[7] * y + 1
      if (Math.abs(w) < 1e-9) return null
      normal.add([x, y, 1, 0, 0, 0, -u * x, -u * y], u, 1 / (w * w))
      normal.add([0, 0, 0, x, y, 1, -v * x, -v * y], v, 1 / (w * w))
    }
    const solved = normal.solve()
    if (solved === null) return null
    map = Float64Array.of(...solved, 1)
    if (from.length === 8) break
  }
  return map
}

/** Sums up a least squares problem row by row. */
class NormalEquations {
  readonly #matrix: Float64Array
  readonly #right: Float64Array

  constructor(unknowns: number) {
    this.#matrix = new Float64Array(unknowns * unknowns)
    this.#right = new Float64Array(unknowns)
  }

  add(row: readonly number[], value: number, weight: number): void {
    const size = row.length
    for (let i = 0; i < size; i++) {
      for (let j = 0; j < size; j++) this.#matrix[i * size + j] += weight * row[i] * row[j]
      this.#right[i] += weight * row[i] * value
    }
  }

  solve(): Float64Array | null {
    return solveLinear(this.#matrix, this.#right)
  }
}

function scaledToOne(map: PlaneMap): PlaneMap {
  return map.map((value) => value / map[8])
}

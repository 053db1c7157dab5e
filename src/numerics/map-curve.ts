/** Says how surely two points of a map are neighbours by their distance: 1 / (1 + a d^2b), as UMAP does. */
import { solveLinear } from './solve-linear.js'

export interface MapCurve {
  readonly a: number
  readonly b: number
}

const SAMPLES = 300
const ROUNDS = 100

/** Fits the curve to one that is 1 up to `leastDistance` and falls off by e each unit beyond, at 300 places from 0 to 3, by least squares (Levenberg 1944). */
export function fitMapCurve(leastDistance: number): MapCurve {
  const places = Array.from({ length: SAMPLES }, (_, i) => (3 * i) / (SAMPLES - 1))
  const aims = places.map((x) => (x < leastDistance ? 1 : Math.exp(-(x - leastDistance))))
  const errorOf = ({ a, b }: MapCurve) =>
    places.reduce((sum, x, i) => sum + (aims[i] - surenessAt(x, { a, b })) ** 2, 0)
  let curve = { a: 1, b: 1 }
  let damping = 1e-3
  for (let round = 0; round < ROUNDS; round++) {
    const step = stepOf(places, aims, curve, damping)
    const next = { a: curve.a + step[0], b: curve.b + step[1] }
    if (next.a > 0 && next.b > 0 && errorOf(next) <= errorOf(curve)) {
      curve = next
      damping /= 10
      if (Math.hypot(step[0], step[1]) < 1e-12) break
    } else damping *= 10
  }
  return curve
}

function surenessAt(distance: number, { a, b }: MapCurve): number {
  return 1 / (1 + a * distance ** (2 * b))
}

function stepOf(
  places: readonly number[],
  aims: readonly number[],
  curve: MapCurve,
  damping: number,
): Float64Array {
  const { a, b } = curve
  const normal = new Float64Array(4)
  const right = new Float64Array(2)
  for (const [i, x] of places.entries()) {
    if (x === 0) continue
    const sure = surenessAt(x, curve)
    const power = x ** (2 * b)
    const slopes = [-power * sure * sure, -2 * a * power * Math.log(x) * sure * sure]
    for (let row = 0; row < 2; row++) {
      right[row] += slopes[row] * (aims[i] - sure)
      for (let column = 0; column < 2; column++) normal[2 * row + column] += slopes[row] * slopes[column]
    }
  }
  normal[0] *= 1 + damping
  normal[3] *= 1 + damping
  return solveLinear(normal, right) ?? new Float64Array(2)
}

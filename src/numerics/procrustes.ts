/** Turns, mirrors and moves points of the plane to where others are, without stretching them (Schönemann, A generalized solution of the orthogonal Procrustes problem, 1966). */

/** Is a turn or a mirroring, [2, 2] row by row, about one point and on to another. */
export interface PlaneTurn {
  readonly matrix: readonly [number, number, number, number]
  readonly from: readonly [number, number]
  readonly to: readonly [number, number]
}

/** Finds what takes `from` [N, 2] nearest to `to` [N, 2] in the sum of squares. Throws RangeError for lists of different lengths. */
export function fitPlaneTurn(from: Float32Array, to: Float32Array): PlaneTurn {
  if (from.length !== to.length || from.length % 2 !== 0)
    throw new RangeError(`${from.length} and ${to.length} numbers are no pairs of points.`)
  const [a, b] = [meanPoint(from), meanPoint(to)]
  // Sums of products of the coordinates of pairs: the best turn and the best mirroring follow from two angles.
  let [xx, xy, yx, yy] = [0, 0, 0, 0]
  for (let at = 0; at < from.length; at += 2) {
    const [x, y] = [from[at] - a[0], from[at + 1] - a[1]]
    const [u, v] = [to[at] - b[0], to[at + 1] - b[1]]
    xx += x * u
    xy += x * v
    yx += y * u
    yy += y * v
  }
  const turned = Math.hypot(xx + yy, xy - yx)
  const mirrored = Math.hypot(xx - yy, xy + yx)
  const isMirrored = mirrored > turned
  const angle = isMirrored ? Math.atan2(xy + yx, xx - yy) : Math.atan2(xy - yx, xx + yy)
  const [c, s] = [Math.cos(angle), Math.sin(angle)]
  return { matrix: isMirrored ? [c, s, s, -c] : [c, -s, s, c], from: a, to: b }
}

/** Takes points [N, 2] along. */
export function turnPoints(
  { matrix: [a, b, c, d], from, to }: PlaneTurn,
  points: Float32Array,
): Float32Array {
  const out = new Float32Array(points.length)
  for (let at = 0; at < points.length; at += 2) {
    const [x, y] = [points[at] - from[0], points[at + 1] - from[1]]
    out[at] = a * x + b * y + to[0]
    out[at + 1] = c * x + d * y + to[1]
  }
  return out
}

function meanPoint(points: Float32Array): readonly [number, number] {
  let [x, y] = [0, 0]
  for (let at = 0; at < points.length; at += 2) {
    x += points[at]
    y += points[at + 1]
  }
  const count = Math.max(1, points.length / 2)
  return [x / count, y / count]
}

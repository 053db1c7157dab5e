/** Finds the map that takes places of one picture to the same places of another, where many of them agree on one. */
import { DESCRIPTOR_WIDTH, type Keypoints } from './keypoints.js'
import { MutualNearest, type Nearest } from './mutual-nearest.js'
import { fitMap, mapPoints, type PlaneMap } from './plane-map.js'

/** Is a map on which places agree. */
export interface PlaceMap {
  /** Takes pixels of the first picture to pixels of the second; it is affine. */
  readonly map: PlaneMap
  /** Counts the places that agree. */
  readonly count: number
}

/** Keeps a place whose nearest is so much nearer than the second nearest (Lowe's ratio of distances). */
const RATIO = 0.85
/** Is how far, in pixels of the second picture and of the place's size, a place may lie from where the map takes it. */
const TOLERANCE = 3
const REFITS = 5
const LEAST_PLACES = 4

/** Gives null where fewer than four places agree on any map. The same places give the same map. */
export function mapOfPlaces(first: Keypoints, second: Keypoints): PlaceMap | null {
  const pairs = nearestPairs(first, second)
  if (pairs.length < LEAST_PLACES) return null
  const from = pointsOf(first, pairs, ([a]) => a)
  const to = pointsOf(second, pairs, ([, b]) => b)
  let best: { readonly map: PlaneMap; readonly inside: readonly number[] } | null = null
  // A pair by itself tells place, size and angle, so that every pair is tried and nothing is drawn by lot.
  for (const pair of pairs) {
    const map = similarityOf(first, second, pair)
    const inside = agreeing(map, from, to)
    if (inside.length > (best?.inside.length ?? LEAST_PLACES - 1)) best = { map, inside }
  }
  if (best === null) return null
  for (let refit = 0; refit < REFITS; refit++) {
    const map = fitMap(chosen(from, best.inside), chosen(to, best.inside), 'affine')
    if (map === null) break
    const inside = agreeing(map, from, to)
    if (inside.length < best.inside.length) break
    best = { map, inside }
  }
  return { map: best.map, count: best.inside.length }
}

type Pair = readonly [number, number]

function nearestPairs(first: Keypoints, second: Keypoints): readonly Pair[] {
  const nearest = new MutualNearest(first.count, second.count)
  const row = new Float32Array(second.count)
  for (let a = 0; a < first.count; a++) {
    for (let b = 0; b < second.count; b++) {
      let sum = 0
      const [i, j] = [a * DESCRIPTOR_WIDTH, b * DESCRIPTOR_WIDTH]
      for (let k = 0; k < DESCRIPTOR_WIDTH; k++) sum += first.descriptors[i + k] * second.descriptors[j + k]
      row[b] = sum
    }
    nearest.add(row, a)
  }
  const pairs: Pair[] = []
  for (const [a, b] of nearest.rows.index.entries())
    if (b >= 0 && nearest.columns.index[b] === a && isClear(nearest.rows, a)) pairs.push([a, b])
  return pairs
}

function isClear({ best, second }: Nearest, at: number): boolean {
  return 1 - best[at] <= RATIO ** 2 * (1 - second[at])
}

function pointsOf(
  { places }: Keypoints,
  pairs: readonly Pair[],
  numberOf: (pair: Pair) => number,
): Float64Array {
  return Float64Array.from(
    pairs.flatMap((pair) => [places[numberOf(pair) * 4], places[numberOf(pair) * 4 + 1]]),
  )
}

function similarityOf(first: Keypoints, second: Keypoints, [a, b]: Pair): PlaneMap {
  const [x, y, size, angle] = first.places.subarray(a * 4, a * 4 + 4)
  const [u, v, otherSize, otherAngle] = second.places.subarray(b * 4, b * 4 + 4)
  const scale = otherSize / size
  const [cosine, sine] = [scale * Math.cos(otherAngle - angle), scale * Math.sin(otherAngle - angle)]
  return Float64Array.of(
    cosine,
    -sine,
    u - cosine * x + sine * y,
    sine,
    cosine,
    v - sine * x - cosine * y,
    0,
    0,
    1,
  )
}

/** Numbers the pairs whose places the map takes to one another. */
function agreeing(map: PlaneMap, from: Float64Array, to: Float64Array): readonly number[] {
  const there = mapPoints(map, from)
  const tolerance = TOLERANCE * Math.max(1, Math.sqrt(Math.abs(map[0] * map[4] - map[1] * map[3])))
  const inside: number[] = []
  for (let at = 0; at < there.length; at += 2)
    if ((there[at] - to[at]) ** 2 + (there[at + 1] - to[at + 1]) ** 2 <= tolerance ** 2) inside.push(at / 2)
  return inside
}

function chosen(points: Float64Array, pairs: readonly number[]): Float64Array {
  return Float64Array.from(pairs.flatMap((pair) => [points[pair * 2], points[pair * 2 + 1]]))
}

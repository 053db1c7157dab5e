/**
 * Fits a map of the plane to pairs of points of which many are wrong: maps of random samples are tried, and the one with the least capped error is fitted
 * anew to all that agree with it (RANSAC: Fischler and Bolles 1981, "Random Sample Consensus"; the capped error: Torr and Zisserman 2000, "MLESAC"; fitting
 * anew whenever a better one is found: Chum, Matas and Kittler 2003, "Locally Optimized RANSAC").
 */
import { fitMap, invertMap, mapPoints, PAIRS_NEEDED, type PlaneMap, type PlaneMapKind } from './plane-map.js'
import { seededRandom } from './seeded-random.js'

/** Says which map is looked for, and how near is near enough. */
export interface RobustFitOptions {
  /** Names the kind of map. */
  readonly kind: PlaneMapKind
  /** Is the largest distance of a pair that agrees, in the units of the points, there and back. */
  readonly tolerance: number
  /** Chooses the samples; default 0. The same seed gives the same answer. */
  readonly seed?: number
  /** Bounds the samples; default 4000. Fewer are taken once another is unlikely (one in a thousand) to be better. */
  readonly mostRounds?: number
}

/** Is a map and the pairs that agree with it. */
export interface RobustFit {
  /** Takes points to their partners. */
  readonly map: PlaneMap
  /** [N] has 1 for each pair that agrees and 0 for others. */
  readonly inliers: Uint8Array
  /** Counts the pairs that agree. */
  readonly count: number
}

interface Judged extends RobustFit {
  readonly cost: number
}

const MISSED = 1e-3
const MOST_REFITS = 20

/**
 * Fits a map to pairs of points [N, 2]. Gives null where no map has more pairs that agree than it takes to make it: there is then no evidence for any, as with
 * too few points or all on a line. Throws RangeError for lists of different lengths or a tolerance that is none.
 */
export function fitRobustly(
  from: Float64Array,
  to: Float64Array,
  { kind, tolerance, seed = 0, mostRounds = 4000 }: RobustFitOptions,
): RobustFit | null {
  if (from.length !== to.length || from.length % 2 !== 0)
    throw new RangeError(`${from.length} and ${to.length} numbers are no pairs of points.`)
  if (!(tolerance > 0)) throw new RangeError(`A tolerance is above 0: got ${tolerance}.`)
  const needed = PAIRS_NEEDED[kind]
  const pairs = from.length / 2
  if (pairs <= needed) return null
  const random = seededRandom(seed)
  const judge = (map: PlaneMap | null) => judgeMap(map, from, to, tolerance)
  let best: Judged | null = null
  let rounds = mostRounds
  for (let round = 0; round < rounds; round++) {
    const sample = drawn(random, pairs, needed)
    const [a, b] = [taken(from, sample), taken(to, sample)]
    if (!isUpright(a, b, needed)) continue
    const found = judge(fitMap(a, b, kind))
    if (found === null || (best !== null && found.cost >= best.cost)) continue
    best = refitted(found, from, to, kind, judge)
    rounds = Math.min(rounds, roundsFor(best.count / pairs, needed))
  }
  if (best === null || best.count <= needed) return null
  const { map, inliers, count } = best
  return { map, inliers, count }
}

/** Fits to all that agree as long as that makes the error smaller. */
function refitted(
  found: Judged,
  from: Float64Array,
  to: Float64Array,
  kind: PlaneMapKind,
  judge: (map: PlaneMap | null) => Judged | null,
): Judged {
  let best = found
  for (let refit = 0; refit < MOST_REFITS; refit++) {
    const chosen: number[] = []
    for (let pair = 0; pair < best.inliers.length; pair++) if (best.inliers[pair] === 1) chosen.push(pair)
    const next = judge(fitMap(taken(from, chosen), taken(to, chosen), kind))
    if (next === null || next.cost >= best.cost) return best
    best = next
  }
  return best
}

/** Looks at both ways, so that a map that takes everything to one place agrees with nothing. */
function judgeMap(
  map: PlaneMap | null,
  from: Float64Array,
  to: Float64Array,
  tolerance: number,
): Judged | null {
  const back = map === null ? null : invertMap(map)
  if (map === null || back === null) return null
  const [there, here] = [mapPoints(map, from), mapPoints(back, to)]
  const inliers = new Uint8Array(from.length / 2)
  const most = tolerance * tolerance
  let cost = 0
  let count = 0
  for (let pair = 0, at = 0; pair < inliers.length; pair++, at += 2) {
    const forth = (there[at] - to[at]) ** 2 + (there[at + 1] - to[at + 1]) ** 2
    const square = Math.max(forth, (here[at] - from[at]) ** 2 + (here[at + 1] - from[at + 1]) ** 2)
    // The condition is written so that a point that went to infinity does not agree.
    if (square <= most) {
      inliers[pair] = 1
      count++
      cost += square
    } else cost += most
  }
  return { map, inliers, count, cost }
}

/** Counts the samples after which one of pairs that all agree was missed once in a thousand times. */
function roundsFor(share: number, needed: number): number {
  const good = share ** needed
  if (good >= 1) return 0
  return Math.ceil(Math.log(MISSED) / Math.log1p(-good))
}

function drawn(random: () => number, pairs: number, count: number): readonly number[] {
  const sample: number[] = []
  while (sample.length < count) {
    const pair = Math.floor(random() * pairs)
    if (!sample.includes(pair)) sample.push(pair)
  }
  return sample
}

function taken(points: Float64Array, pairs: readonly number[]): Float64Array {
  const out = new Float64Array(pairs.length * 2)
  for (let i = 0; i < pairs.length; i++) out.set(points.subarray(pairs[i] * 2, pairs[i] * 2 + 2), i * 2)
  return out
}

/** Tells samples that a photo could show: no three points are on a line, and all triples turn the same way in both photos, or all the other way (a mirror image). */
function isUpright(from: Float64Array, to: Float64Array, count: number): boolean {
  let turns = 0
  let triples = 0
  for (let i = 0; i < count; i++)
    for (let j = i + 1; j < count; j++)
      for (let k = j + 1; k < count; k++) {
        const turn = Math.sign(areaOf(from, i, j, k)) * Math.sign(areaOf(to, i, j, k))
        if (turn === 0) return false
        turns += turn
        triples++
      }
  return Math.abs(turns) === triples
}

/** Gives twice the area of a triangle, below 0 where it turns the other way, and 0 where its height is nothing beside its sides. */
function areaOf(points: Float64Array, i: number, j: number, k: number): number {
  const [x, y] = [points[i * 2], points[i * 2 + 1]]
  const [ax, ay] = [points[j * 2] - x, points[j * 2 + 1] - y]
  const [bx, by] = [points[k * 2] - x, points[k * 2 + 1] - y]
  const area = ax * by - ay * bx
  return Math.abs(area) <= 1e-9 * (ax * ax + ay * ay + bx * bx + by * by) ? 0 : area
}

/**
 * Finds where one scene of a film ends and the next begins, by how far the embeddings of neighbouring frames lie apart, and a frame that stands for each. A
 * cut is large, and stands out among the distances around it, as in PySceneDetect's AdaptiveDetector: a camera that moves makes many distances alike. What was seen
 * on films with cuts at known times (bench/scenes.mjs): a single frame between two that are alike is a flash where no other near it is like it, and of two large distances one after the other the
 * lesser belongs to the cut that the larger one is, as in a fade. A flash on every second frame over eight frames or more is a light that strobes, and what lies between
 * is looked at as if it were not there.
 */
import { cosineSimilarity } from './cosine-similarity.js'

/** Is a run of frames. */
export interface Scene {
  /** Is the index of its first frame. */
  readonly first: number
  /** Is the index of its last frame. */
  readonly last: number
  /** Is the index of the frame that is nearest to the mean of all of its own. */
  readonly key: number
  /** Is the distance, 1 minus the cosine, from the frame before its first; null for the first scene. */
  readonly distance: number | null
}

/** Frames so far apart are always of two scenes. */
const CERTAIN = 0.5
/** Frames nearer than this never are. */
const LEAST = 0.1
/** A cut is so many times the median of the distances around it. */
const STANDS_OUT = 3
/** So many distances before and behind are around one. */
const AROUND = 5
/** Every second frame that is like the one two frames before strobes from so many on; fewer are scenes that take turns. */
const LEAST_STROBES = 4

/**
 * Splits the frames of a film into scenes: they follow each other without a gap, and there is one at least.
 *
 * @param embeddings float32 [N, width], in the order of the frames' times
 * @param width counts the numbers of an embedding
 * @param threshold cuts wherever neighbouring frames are farther apart than this, from 0 to 2; default: by what stands out
 * @throws RangeError where there are no frames, or the numbers are no rows of `width`
 */
export function findScenes(embeddings: Float32Array, width: number, threshold?: number): readonly Scene[] {
  const count = embeddings.length / width
  if (!(Number.isInteger(count) && count > 0))
    throw new RangeError(`${embeddings.length} numbers are no frames of ${width}.`)
  const frame = (index: number) => embeddings.subarray(index * width, (index + 1) * width)
  const between = (one: number, other: number) => 1 - cosineSimilarity(frame(one), frame(other))
  const strobing = threshold === undefined ? strobes(count, between) : new Set<number>()
  const kept = Array.from({ length: count }, (_, index) => index).filter((index) => !strobing.has(index))
  const distances = kept.slice(1).map((index, i) => between(kept[i], index))
  const isAlike = (one: number, other: number) =>
    one >= 0 && other < kept.length && between(kept[one], kept[other]) < LEAST
  // Where two frames back or ahead is one like it, two scenes take turns.
  const isFlash = (index: number) =>
    isAlike(index - 1, index + 1) && !isAlike(index - 2, index) && !isAlike(index, index + 2)
  const starts = [0]
  for (let i = 1; i < kept.length; i++) {
    if (!isCut(distances, i - 1, threshold)) continue
    // A flash has a cut before it and one behind.
    if (threshold === undefined && (isFlash(i) || isFlash(i - 1))) continue
    starts.push(i)
  }
  return starts.map((start, scene) => {
    const end = starts[scene + 1] ?? kept.length
    const first = start === 0 ? 0 : kept[start]
    const last = end === kept.length ? count - 1 : kept[end] - 1
    const distance = start === 0 ? null : distances[start - 1]
    return { first, last, key: keyOf(embeddings, width, kept.slice(start, end)), distance }
  })
}

/** Finds the frames that strobe: each second one of a stretch, alike among themselves and unlike what lies between. */
function strobes(count: number, between: (one: number, other: number) => number): ReadonlySet<number> {
  const isTurn = (index: number) =>
    index + 2 < count &&
    between(index, index + 2) < LEAST &&
    between(index, index + 1) >= LEAST &&
    between(index + 1, index + 2) >= LEAST
  const runs: (readonly [first: number, last: number])[] = []
  for (const parity of [0, 1])
    for (let first = parity; first < count; ) {
      let last = first
      while (isTurn(last)) last += 2
      if ((last - first) / 2 + 1 >= LEAST_STROBES) runs.push([first, last])
      first = last + 2
    }
  // Where two alternate, the one that goes on for longer is the light; where both are as long, it is the one that comes second.
  runs.sort(([a, b], [c, d]) => d - c - (b - a) || c - a)
  const found = new Set<number>()
  const taken: (readonly [first: number, last: number])[] = []
  for (const [first, last] of runs) {
    if (taken.some(([from, to]) => first < to && last > from)) continue
    taken.push([first, last])
    for (let index = first; index <= last; index += 2) found.add(index)
  }
  return found
}

function isCut(distances: readonly number[], at: number, threshold: number | undefined): boolean {
  const distance = distances[at]
  if (threshold !== undefined) return distance > threshold
  if (distance > CERTAIN) return true
  const around = distances
    .slice(Math.max(0, at - AROUND), at + AROUND + 1)
    .filter((_, i) => i !== Math.min(at, AROUND))
  const isLess = [distances[at - 1], distances[at + 1]].some((beside = 0) => beside > distance)
  return distance > LEAST && !isLess && distance >= STANDS_OUT * medianOf(around)
}

/** Is 0 of nothing. */
function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[sorted.length >> 1] ?? 0
}

/** Every frame counts alike, whatever the length of its embedding. */
function keyOf(embeddings: Float32Array, width: number, frames: readonly number[]): number {
  const mean = new Float32Array(width)
  const row = (index: number) => embeddings.subarray(index * width, (index + 1) * width)
  for (const index of frames) {
    const values = row(index)
    const length = Math.hypot(...values) || 1
    for (let i = 0; i < width; i++) mean[i] += values[i] / length
  }
  let key = frames[0]
  let best = Number.NEGATIVE_INFINITY
  for (const index of frames) {
    const similarity = cosineSimilarity(row(index), mean)
    if (similarity <= best) continue
    best = similarity
    key = index
  }
  return key
}

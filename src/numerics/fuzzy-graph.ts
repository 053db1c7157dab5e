/**
 * Makes of each row's neighbours a graph whose edges say how surely two rows are neighbours: the fuzzy simplicial set of UMAP (McInnes, Healy and Melville, UMAP:
 * uniform manifold approximation and projection, 2018, 3.1), with the numbers of umap-learn 0.5.
 */
import type { NearestGraph } from './nearest-graph.js'

/** Holds the edges of each row, one row behind the other: those of row i are at `starts[i]` up to `starts[i + 1]`. */
export interface EdgeLists {
  /** [N + 1] */
  readonly starts: Uint32Array
  /** [E] Is the row at the other end. */
  readonly ends: Int32Array
  /** [E] From 0 to 1. */
  readonly weights: Float32Array
}

/** A scale is halved and doubled so many times at most, until sums are as near to their aim. */
const MOST_TRIES = 64
const NEAR = 1e-5
/** A row's scale is no smaller than this share of the mean distance of its neighbours. */
const LEAST_SCALE = 1e-3

/**
 * Gives how surely each neighbour of a row is one, [N, K]: 1 for the nearest, and less with the distance, 1 - cosine, by a scale of the row's own at which all
 * add up to the logarithm of their number, the row counted with them.
 */
export function memberships(graph: NearestGraph): Float32Array {
  return membershipsOf(graph, false)
}

/** Gives the same for rows that are placed among others: there the nearest is no surer than its distance, and its own term is not summed. */
export function placedMemberships(graph: NearestGraph): Float32Array {
  return membershipsOf(graph, true)
}

function membershipsOf({ count, similarities }: NearestGraph, isPlaced: boolean): Float32Array {
  const out = new Float32Array(similarities.length)
  const terms = isPlaced ? count : count + 1
  const aim = Math.log2(terms)
  const all = Float64Array.from(similarities, (similarity) => Math.max(0, 1 - similarity))
  const meanOfAll = finiteSum(all) / (all.length / count) / terms
  for (let at = 0; at < all.length; at += count) {
    const distances = all.subarray(at, at + count)
    const nearest = isPlaced ? 0 : (distances.find((distance) => distance > 0) ?? 0)
    const mean = nearest > 0 ? finiteSum(distances) / terms : meanOfAll
    const summed = isPlaced ? distances.subarray(1) : distances
    const scale = Math.max(scaleOf(summed, nearest, aim), LEAST_SCALE * mean)
    for (let k = 0; k < count; k++) {
      const beyond = distances[k] - nearest
      out[at + k] = beyond <= 0 || scale === 0 ? 1 : Math.exp(-beyond / scale)
    }
  }
  return out
}

/** Sums distances; what a graph that is not exact has not found is infinitely far. */
function finiteSum(distances: Float64Array): number {
  let sum = 0
  for (let i = 0; i < distances.length; i++) if (distances[i] < Number.POSITIVE_INFINITY) sum += distances[i]
  return sum
}

/** Finds the scale at which all add up to `aim`. */
function scaleOf(distances: Float64Array, nearest: number, aim: number): number {
  let low = 0
  let high = Number.POSITIVE_INFINITY
  let scale = 1
  for (let i = 0; i < MOST_TRIES; i++) {
    let sum = 0
    for (let k = 0; k < distances.length; k++) {
      const beyond = distances[k] - nearest
      sum += beyond > 0 ? Math.exp(-beyond / scale) : 1
    }
    if (Math.abs(sum - aim) < NEAR) break
    if (sum > aim) high = scale
    else low = scale
    scale = high === Number.POSITIVE_INFINITY ? scale * 2 : (low + high) / 2
  }
  return scale
}

/** Joins what two rows say of each other: each edge is there in both directions, as sure as that one of the two is right. */
export function fuzzyUnion(graph: NearestGraph, sure: Float32Array): EdgeLists {
  const total = graph.neighbours.length / graph.count
  const own = byEnd({ starts: evenStarts(total, graph.count), ends: graph.neighbours, weights: sure }, total)
  // Turned twice, the edges of each row stand in rising order.
  const [turned, straight] = [own, byEnd(own, total)]
  const starts = new Uint32Array(total + 1)
  const ends = new Int32Array(2 * sure.length)
  const weights = new Float32Array(2 * sure.length)
  let at = 0
  for (let row = 0; row < total; row++) {
    let [i, j] = [straight.starts[row], turned.starts[row]]
    const [lastI, lastJ] = [straight.starts[row + 1], turned.starts[row + 1]]
    while (i < lastI || j < lastJ) {
      const a = i < lastI ? straight.ends[i] : total
      const b = j < lastJ ? turned.ends[j] : total
      const there = a <= b ? straight.weights[i++] : 0
      const back = b <= a ? turned.weights[j++] : 0
      weights[at] = there + back - there * back
      // What is nothing in float32 is no edge.
      if (weights[at] > 0) ends[at++] = Math.min(a, b)
    }
    starts[row + 1] = at
  }
  return { starts, ends: ends.slice(0, at), weights: weights.slice(0, at) }
}

function evenStarts(total: number, count: number): Uint32Array {
  return Uint32Array.from({ length: total + 1 }, (_, row) => row * count)
}

/** Turns all edges round: those that ended at a row begin there. One that ends nowhere is left out. */
function byEnd({ starts, ends, weights }: EdgeLists, total: number): EdgeLists {
  const turned = new Uint32Array(total + 1)
  for (let at = 0; at < ends.length; at++) if (ends[at] >= 0) turned[ends[at] + 1]++
  for (let row = 0; row < total; row++) turned[row + 1] += turned[row]
  const next = turned.slice()
  const out = {
    starts: turned,
    ends: new Int32Array(turned[total]),
    weights: new Float32Array(turned[total]),
  }
  for (let row = 0; row < total; row++) {
    for (let at = starts[row]; at < starts[row + 1]; at++) {
      if (ends[at] < 0) continue
      const to = next[ends[at]]++
      out.ends[to] = row
      out.weights[to] = weights[at]
    }
  }
  return out
}

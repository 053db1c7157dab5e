/**
 * Joins rows of length 1 by the shortest tree there is in mutual reachability (Campello, Moulavi and Sander, Density-based clustering based on hierarchical
 * density estimates, 2013): two rows are as far apart as their Euclidean distance, and no nearer than either's core distance.
 */
import type { DisjointSets } from './disjoint-sets.js'
import type { NearestGraph } from './nearest-graph.js'
import { pausesFor } from './pauses.js'
import type { Products } from './products.js'
import { gatherRows } from './row-blocks.js'
import { sortedOrder } from './sorted-order.js'

/** Holds edges of a tree, or of several. */
export interface Edges {
  readonly from: number[]
  readonly to: number[]
  readonly lengths: number[]
}

export interface Reachable {
  /** [N, D] Each has length 1. */
  readonly units: Float32Array
  readonly width: number
  /** [N] */
  readonly cores: Float32Array
}

export interface TreeWork {
  readonly products: Products
  readonly signal: AbortSignal | undefined
}

/**
 * Rows this near are copies as far as stored halves can tell. A distance of nothing would be a density without bounds, beside which no other counts.
 */
const LEAST_DISTANCE = 1e-3
/** So many products are held at once. */
const MOST_HELD = 1 << 22

/** Gives the Euclidean distance of two rows of length 1. */
export function distanceOf(cosine: number): number {
  return Math.max(LEAST_DISTANCE, Math.sqrt(Math.max(0, 2 - 2 * cosine)))
}

/** Gives the distance to the `samples`-th nearest row, the row itself counted as the first. */
export function coreDistances(
  { count, similarities }: NearestGraph,
  total: number,
  samples: number,
): Float32Array {
  const cores = new Float32Array(total)
  if (samples > 1)
    for (let row = 0; row < total; row++)
      cores[row] = distanceOf(similarities[row * count + Math.min(samples - 1, count) - 1])
  return cores
}

/** Finds the shortest forest along the edges of a graph (Kruskal 1956). */
export function spanningForest(graph: NearestGraph, cores: Float32Array, sets: DisjointSets): Edges {
  const { count, neighbours, similarities } = graph
  const lengths = new Float32Array(neighbours.length)
  for (let at = 0; at < lengths.length; at++) {
    const core = Math.max(cores[Math.floor(at / count)], cores[neighbours[at]] ?? 0)
    lengths[at] = Math.max(core, distanceOf(similarities[at]))
  }
  const edges: Edges = { from: [], to: [], lengths: [] }
  for (const at of sortedOrder(lengths)) {
    const row = Math.floor(at / count)
    // Where a graph that is not exact lacks a neighbour there is no edge.
    if (neighbours[at] >= 0 && sets.join(row, neighbours[at]))
      pushEdge(edges, row, neighbours[at], lengths[at])
  }
  return edges
}

/**
 * Joins sets of rows to one by the shortest edges between them, in rounds (Borůvka 1926): each adds the shortest way out of every set, so that the rows of
 * all sets are multiplied at once, and there are few rounds. A row whose known nearest row outside lies farther than another way out of its set is left
 * alone; `graph` tells the nearest of most rows before anything is multiplied.
 */
export async function joinSets(
  rows: Reachable,
  sets: DisjointSets,
  work: TreeWork,
  graph?: NearestGraph,
): Promise<Edges> {
  const edges: Edges = { from: [], to: [], lengths: [] }
  const ways = new WaysOut(rows, sets, graph)
  while (ways.countSets() > 1) {
    await ways.look(work)
    ways.join(edges)
  }
  return edges
}

export function pushEdge({ from, to, lengths }: Edges, a: number, b: number, length: number): void {
  from.push(a)
  to.push(b)
  lengths.push(length)
}

/** Knows for each row the nearest outside its set, or how near one could be, and the shortest way out of each set. */
class WaysOut {
  readonly #rows: Reachable
  readonly #sets: DisjointSets
  readonly #graph: NearestGraph | undefined
  /** [N] Is -1 where it is not known. */
  readonly #nearest: Int32Array
  /** [N] No row outside the set is nearer. */
  readonly #bounds: Float32Array
  /** [N] Names the set of each row in this round. */
  readonly #set: Int32Array
  /** [N] Is the row from which the shortest known way leads out of a set, or -1. */
  readonly #best: Int32Array

  constructor(rows: Reachable, sets: DisjointSets, graph: NearestGraph | undefined) {
    const total = rows.cores.length
    this.#rows = rows
    this.#sets = sets
    this.#graph = graph
    this.#nearest = new Int32Array(total).fill(-1)
    this.#bounds = Float32Array.from(rows.cores)
    this.#set = new Int32Array(total)
    this.#best = new Int32Array(total)
  }

  countSets(): number {
    let count = 0
    for (let row = 0; row < this.#set.length; row++) if (this.#sets.find(row) === row) count++
    return count
  }

  /** Finds the shortest way out of each set. */
  async look({ products, signal }: TreeWork): Promise<void> {
    const { units, width } = this.#rows
    const total = this.#set.length
    for (let row = 0; row < total; row++) this.#set[row] = this.#sets.find(row)
    this.#best.fill(-1)
    for (let row = 0; row < total; row++) this.#recall(row)
    const pause = pausesFor(signal)
    const most = Math.max(1, Math.floor(MOST_HELD / total))
    for (let row = 0; row < total; ) {
      const open: number[] = []
      for (; row < total && open.length < most; row++) if (this.#isOpen(row)) open.push(row)
      if (open.length === 0) break
      const alike = await products.similarity(gatherRows([units], width, open), units, width, { signal })
      for (const [i, one] of open.entries()) {
        this.#search(one, alike.subarray(i * total, (i + 1) * total))
        await pause()
      }
    }
  }

  /** Adds the way out of each set that has not been joined in this round: only what it knows of itself is sure. */
  join(edges: Edges): void {
    const isJoined = new Uint8Array(this.#set.length)
    for (let set = 0; set < this.#set.length; set++) {
      const row = this.#best[set]
      if (row < 0 || isJoined[set] === 1) continue
      const to = this.#nearest[row]
      isJoined[set] = 1
      isJoined[this.#set[to]] = 1
      this.#sets.join(row, to)
      pushEdge(edges, row, to, this.#bounds[row])
    }
  }

  /** A row that was nearest outside is so still, as long as it is outside; a list of neighbours may have another. */
  #recall(row: number): void {
    const known = this.#nearest[row]
    if (known >= 0 && this.#set[known] !== this.#set[row]) {
      this.#consider(row)
      return
    }
    this.#nearest[row] = -1
    if (this.#graph !== undefined) this.#readList(row, this.#graph)
  }

  #readList(row: number, graph: NearestGraph): void {
    const { count, neighbours, similarities } = graph
    const { cores } = this.#rows
    let nearest = -1
    let length = Math.max(cores[row], distanceOf(similarities[(row + 1) * count - 1]))
    const beyond = length
    for (let at = row * count; at < (row + 1) * count; at++) {
      const other = neighbours[at]
      if (this.#set[other] === this.#set[row]) continue
      const own = Math.max(cores[row], cores[other], distanceOf(similarities[at]))
      if (own > length || (nearest >= 0 && own === length)) continue
      length = own
      nearest = other
    }
    if (nearest < 0) this.#bounds[row] = Math.max(this.#bounds[row], beyond)
    else {
      this.#nearest[row] = nearest
      this.#bounds[row] = length
      this.#consider(row)
    }
  }

  #consider(row: number): void {
    const best = this.#best[this.#set[row]]
    if (best < 0 || this.#bounds[row] < this.#bounds[best]) this.#best[this.#set[row]] = row
  }

  #isOpen(row: number): boolean {
    if (this.#nearest[row] >= 0) return false
    const best = this.#best[this.#set[row]]
    return best < 0 || this.#bounds[row] < this.#bounds[best]
  }

  #search(row: number, alike: Float32Array): void {
    const { cores } = this.#rows
    const own = this.#set[row]
    let nearest = -1
    let length = Number.POSITIVE_INFINITY
    // Distances fall as cosines rise, so that only a row that could be nearer is worth a root.
    let least = Number.NEGATIVE_INFINITY
    for (let other = 0; other < alike.length; other++) {
      if (alike[other] < least || cores[other] >= length || this.#set[other] === own) continue
      const reached = Math.max(cores[row], cores[other], distanceOf(alike[other]))
      if (reached >= length) continue
      length = reached
      nearest = other
      least = 1 - (length * length) / 2
      if (length === cores[row]) break
    }
    this.#nearest[row] = nearest
    this.#bounds[row] = length
    if (nearest >= 0) this.#consider(row)
  }
}

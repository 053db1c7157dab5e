/**
 * Finds groups of any shape and number where rows lie densely, and leaves the others alone: HDBSCAN (Campello, Moulavi and Sander 2013), exactly for as many
 * rows as can all be multiplied with each other, and along a graph of neighbours for more.
 */
import { type CondensedTree, chooseGroups, condense, deathsOf, type GroupChoice } from './condensed-tree.js'
import { DisjointSets } from './disjoint-sets.js'
import { unitRows } from './lengths.js'
import type { NearestGraph } from './nearest-graph.js'
import { neighbourGraph } from './neighbour-graph.js'
import { checkRows, type ProductOptions, type Products, plainProducts } from './products.js'
import { gatherRows } from './row-blocks.js'
import { coreDistances, type Edges, joinSets, pushEdge, spanningForest } from './spanning-tree.js'

/** Says what a group is. */
export interface DensityOptions extends ProductOptions {
  /** Is the least number of rows of a group, 2 or more. */
  readonly leastRows: number
  /** Says of how many rows, itself with them, a row is dense by; default: `leastRows`. More of them leave more rows alone. */
  readonly samples?: number | undefined
  /** Says which groups of the hierarchy are taken; default: `mass`. `leaf` takes the smallest, which are more and more alike. */
  readonly choice?: GroupChoice | undefined
  /** Computes products; default: in plain loops. */
  readonly products?: Products | undefined
}

/** Holds groups of rows that lie densely. */
export interface DensityClusters {
  /** [N] Names the group of each row, 0 to K - 1, largest first; -1 is a row that is in none. */
  readonly labels: Int32Array
  /** [N] Says how far within its group a row lies, 0 to 1; 0 for one that is in none. */
  readonly probabilities: Float32Array
  /** Counts the groups. */
  readonly count: number
}

/** Rows of which groups stand for as many at most when parts of a graph are joined. */
const MOST_STANDING = 8192
/** A graph for the exact way tells the nearest of most rows. */
const SEEN_NEIGHBOURS = 16

/**
 * Groups rows [N, D], which lie in blocks, by the Euclidean distances of their directions, exactly: the time is that of some products of all rows with all, so
 * that tens of thousands are much. Throws RangeError for no rows, a part of a row, and numbers of rows that are none; the signal's reason.
 */
export async function hdbscan(
  blocks: readonly Float32Array[],
  width: number,
  options: DensityOptions,
): Promise<DensityClusters> {
  const { samples, products, signal } = checked(options)
  const total = checkRows(blocks, width)
  if (total === 1) return noGroups(total)
  const units = unitRows(
    gatherRows(
      blocks,
      width,
      Int32Array.from({ length: total }, (_, row) => row),
    ),
    width,
  )
  const graph = await neighbourGraph([units], width, Math.max(samples - 1, SEEN_NEIGHBOURS), {
    products,
    signal,
  })
  const cores = coreDistances(graph, total, samples)
  const edges = await joinSets({ units, width, cores }, new DisjointSets(total), { products, signal }, graph)
  return groupsOf(edges, total, options)
}

/**
 * Groups rows by a graph of their neighbours, which has `samples` - 1 of each at least. Where the graph falls into parts, those are as far apart as the
 * nearest of some thousand rows that stand for them, which are read from `blocks`: densest first, since those are reached most easily. Throws as `hdbscan`.
 */
export async function hdbscanOnGraph(
  graph: NearestGraph,
  blocks: readonly Float32Array[],
  width: number,
  options: DensityOptions,
): Promise<DensityClusters> {
  const { samples, products, signal } = checked(options)
  const total = checkRows(blocks, width)
  if (total === 1) return noGroups(total)
  if (graph.neighbours.length !== total * graph.count || graph.count < Math.min(samples, total) - 1)
    throw new RangeError(`A graph of ${graph.count} neighbours does not tell the density of ${samples} rows.`)
  const cores = coreDistances(graph, total, samples)
  const sets = new DisjointSets(total)
  const edges = spanningForest(graph, cores, sets)
  signal?.throwIfAborted()
  if (edges.from.length < total - 1) {
    const standing = standingRows(sets, cores)
    const units = unitRows(gatherRows(blocks, width, standing), width)
    const own = new DisjointSets(standing.length)
    const firstOf = new Map<number, number>()
    for (const [i, row] of standing.entries()) {
      const first = firstOf.get(sets.find(row))
      if (first === undefined) firstOf.set(sets.find(row), i)
      else own.join(first, i)
    }
    const reachable = { units, width, cores: Float32Array.from(standing, (row) => cores[row]) }
    const bridges = await joinSets(reachable, own, { products, signal })
    for (const [i, length] of bridges.lengths.entries())
      pushEdge(edges, standing[bridges.from[i]], standing[bridges.to[i]], length)
  }
  return groupsOf(edges, total, options)
}

/** Takes of each part of a graph its densest rows, as many of each as there is room for. */
function standingRows(sets: DisjointSets, cores: Float32Array): Int32Array {
  const parts = new Map<number, number[]>()
  for (let row = 0; row < cores.length; row++) {
    const part = parts.get(sets.find(row))
    if (part === undefined) parts.set(sets.find(row), [row])
    else part.push(row)
  }
  const most = Math.max(1, Math.floor(MOST_STANDING / parts.size))
  return Int32Array.from(
    [...parts.values()].flatMap((rows) => rows.sort((a, b) => cores[a] - cores[b] || a - b).slice(0, most)),
  )
}

function checked({ leastRows, samples = leastRows, products = plainProducts, signal }: DensityOptions) {
  if (!(Number.isInteger(leastRows) && leastRows >= 2))
    throw new RangeError(`A group has 2 rows or more, not ${leastRows}.`)
  if (!(Number.isInteger(samples) && samples >= 1))
    throw new RangeError(`No row is dense by ${samples} rows.`)
  return { samples, products, signal }
}

function noGroups(total: number): DensityClusters {
  return { labels: new Int32Array(total).fill(-1), probabilities: new Float32Array(total), count: 0 }
}

function groupsOf(
  edges: Edges,
  total: number,
  { leastRows, choice = 'mass' }: DensityOptions,
): DensityClusters {
  const tree = condense(edges, total, leastRows)
  const taken = chooseGroups(tree, choice)
  const labelOf = numbersOf(tree, taken)
  const deaths = deathsOf(tree)
  const labels = new Int32Array(total).fill(-1)
  const probabilities = new Float32Array(total)
  for (let row = 0; row < total; row++) {
    const group = taken[tree.groupOf[row]]
    if (group < 0) continue
    labels[row] = labelOf[group]
    probabilities[row] = deaths[group] > 0 ? Math.min(1, tree.leaves[row] / deaths[group]) : 1
  }
  return { labels, probabilities, count: labelOf.reduce((count, label) => Math.max(count, label + 1), 0) }
}

/** Numbers the groups that are taken by how many rows they have, most first; of equal ones that with the first row. */
function numbersOf({ groups, groupOf }: CondensedTree, taken: Int32Array): Int32Array {
  const counts = new Int32Array(groups)
  const firsts = new Int32Array(groups)
  for (let row = groupOf.length - 1; row >= 0; row--) {
    const group = taken[groupOf[row]]
    if (group < 0) continue
    counts[group]++
    firsts[group] = row
  }
  const found = [...new Set(taken)].filter((group) => group >= 0)
  found.sort((a, b) => counts[b] - counts[a] || firsts[a] - firsts[b])
  const numbers = new Int32Array(groups).fill(-1)
  for (const [number, group] of found.entries()) numbers[group] = number
  return numbers
}

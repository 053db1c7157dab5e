/**
 * Makes a map of rows, on which those lie near each other that are alike: UMAP (McInnes, Healy and Melville 2018) as umap-learn 0.5 computes it with cosine
 * distances and a start by principal components, on typed arrays. The same rows and seed give the same map on one machine.
 */
import { type EdgeLists, fuzzyUnion, memberships, placedMemberships } from './fuzzy-graph.js'
import { type LayoutOptions, layOut } from './layout.js'
import { unitRows } from './lengths.js'
import { fitMapCurve } from './map-curve.js'
import type { NearestGraph } from './nearest-graph.js'
import { firstNeighbours } from './neighbour-graph.js'
import { principalComponents } from './principal-components.js'
import { checkRows, type Products, plainProducts } from './products.js'
import { projectBlocks } from './projections.js'
import { seededRandom } from './seeded-random.js'

/** Says how a map is made. */
export interface MapOptions extends LayoutOptions {
  /** Counts the rows that a row is held near to, itself with them; default 15. The graph has at least one less. More show the whole, fewer the parts. */
  readonly neighbours?: number | undefined
  /** Is the distance within which points of the map may lie together; default 0.1. */
  readonly leastDistance?: number | undefined
  /** Decides what is drawn; the same seed gives the same map. Default: 0. */
  readonly seed?: number | undefined
  /** Computes products; default: in plain loops. */
  readonly products?: Products | undefined
}

const NEIGHBOURS = 15
const LEAST_DISTANCE = 0.1
/** Maps begin within a square of this side. */
const SIDE = 10
/** Equal rows part by so much, since nothing else would move them apart. */
const NOISE = 1e-4
/** Few rows take more epochs. */
const FEW = 10_000

/**
 * Maps rows [N, D], which lie in blocks, by the graph of their neighbours; gives points [N, 2]. Throws RangeError for no rows, a part of a row, and a graph of
 * other rows or too few neighbours; the signal's reason.
 */
export async function mapRows(
  graph: NearestGraph,
  blocks: readonly Float32Array[],
  width: number,
  options: MapOptions = {},
): Promise<Float32Array> {
  checkNeighbours(graph, checkRows(blocks, width), options)
  return await layOutMap({ ...options, graph, points: await startMap(blocks, width, options) }, options)
}

/** Is what a map is laid out from, which can go to another thread. */
export interface MapJob extends Pick<MapOptions, 'neighbours' | 'leastDistance' | 'seed'> {
  /** Lists for each row its neighbours. */
  readonly graph: NearestGraph
  /** [N, 2] Are the places that points begin at. */
  readonly points: Float32Array
}

/** Lays out a map; what it begins with stays as it is. Gives points [N, 2]. Throws as `mapRows`. */
export async function layOutMap(
  job: MapJob,
  { signal, onProgress }: LayoutOptions = {},
): Promise<Float32Array> {
  const { graph, leastDistance = LEAST_DISTANCE, seed = 0 } = job
  const points = job.points.slice()
  const total = points.length / 2
  const used = firstNeighbours(graph, checkNeighbours(graph, total, job))
  if (used.count === 0) return points
  const edges = fuzzyUnion(used, memberships(used))
  const epochs = total <= FEW ? 500 : 200
  const curve = fitMapCurve(leastDistance)
  await layOut({ points, others: points, edges, curve, epochs, rate: 1, seed }, { signal, onProgress })
  return points
}

/**
 * Places further rows on a map without moving what is there. `graph` lists for each of them its neighbours among the rows of the map, whose points are [M, 2].
 * Gives points [N, 2]. Throws RangeError for a graph of no rows.
 */
export async function placeRows(
  graph: NearestGraph,
  points: Float32Array,
  options: Omit<MapOptions, 'products'> = {},
): Promise<Float32Array> {
  const { neighbours = NEIGHBOURS, leastDistance = LEAST_DISTANCE, seed = 0, signal, onProgress } = options
  if (graph.count === 0) throw new RangeError('Rows are placed by neighbours, and there are none.')
  const used = firstNeighbours(graph, neighbours)
  const total = used.neighbours.length / used.count
  const weights = placedMemberships(used)
  const starts = Uint32Array.from({ length: total + 1 }, (_, row) => row * used.count)
  const edges: EdgeLists = { starts, ends: used.neighbours, weights }
  const placed = meanPoints(edges, points)
  const epochs = total <= FEW ? 100 : 30
  const curve = fitMapCurve(leastDistance)
  await layOut(
    { points: placed, others: points, edges, curve, epochs, rate: 0.25, seed },
    { signal, onProgress },
  )
  return placed
}

/** Gives how many neighbours of each row are used. */
function checkNeighbours(
  graph: NearestGraph,
  total: number,
  { neighbours = NEIGHBOURS }: Pick<MapOptions, 'neighbours'>,
): number {
  const wanted = Math.min(neighbours, total) - 1
  if (!(Number.isInteger(wanted) && wanted >= 0))
    throw new RangeError(`A map is not made by ${wanted + 1} neighbours.`)
  if (graph.neighbours.length !== total * graph.count)
    throw new RangeError(`A graph of ${graph.neighbours.length} neighbours is none of ${total} rows.`)
  if (graph.count < wanted)
    throw new RangeError(
      `A graph of ${graph.count} neighbours lacks some of the ${wanted} that the map is made by.`,
    )
  return wanted
}

/** Gives the places that a map begins with, [N, 2]: the two principal components of the directions, each from 0 to 10. */
export async function startMap(
  blocks: readonly Float32Array[],
  width: number,
  { products = plainProducts, signal, seed = 0 }: MapOptions = {},
): Promise<Float32Array> {
  const units = blocks.filter(({ length }) => length > 0).map((block) => unitRows(block, width))
  const directions = await principalComponents(units, width, Math.min(2, width), { products, signal })
  const random = seededRandom(seed)
  const points = new Float32Array(2 * checkRows(units, width))
  let first = 0
  for (const alongs of await projectBlocks(units, directions, { products, signal })) {
    const axes = directions.components.length / width
    const rows = alongs.length / axes
    for (let row = 0; row < rows; row++)
      for (let axis = 0; axis < axes; axis++) points[2 * (first + row) + axis] = alongs[axis * rows + row]
    first += rows
  }
  const largest = points.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  const scale = largest > 0 ? SIDE / largest : 0
  for (let i = 0; i < points.length; i++) points[i] = points[i] * scale + NOISE * normal(random)
  fillSquare(points)
  return points
}

/** Draws from the normal distribution (Box and Muller 1958). */
function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}

function fillSquare(points: Float32Array): void {
  for (let axis = 0; axis < 2; axis++) {
    let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
    for (let at = axis; at < points.length; at += 2) {
      low = Math.min(low, points[at])
      high = Math.max(high, points[at])
    }
    const scale = high > low ? SIDE / (high - low) : 0
    for (let at = axis; at < points.length; at += 2) points[at] = (points[at] - low) * scale
  }
}

/** A row begins at the mean of its neighbours, weighted by how surely they are. */
function meanPoints({ starts, ends, weights }: EdgeLists, points: Float32Array): Float32Array {
  const out = new Float32Array(2 * (starts.length - 1))
  for (let row = 0; row + 1 < starts.length; row++) {
    let sum = 0
    let [x, y] = [0, 0]
    for (let at = starts[row]; at < starts[row + 1]; at++) {
      sum += weights[at]
      x += weights[at] * points[2 * ends[at]]
      y += weights[at] * points[2 * ends[at] + 1]
    }
    out[2 * row] = x / sum
    out[2 * row + 1] = y / sum
  }
  return out
}

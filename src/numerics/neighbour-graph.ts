/** Finds for each of some rows in float32 the rows that are most like it by direction, as float32 has them; `nearest-graph.ts` does so for many rows of halves. */
import { unitRows } from './lengths.js'
import type { NearestGraph } from './nearest-graph.js'
import { pausesFor } from './pauses.js'
import { checkRows, type ProductOptions, type Products, plainProducts } from './products.js'
import { gatherRows, piecesOf } from './row-blocks.js'

/** So many similarities are held at once. */
const MOST_HELD = 1 << 23

/**
 * Finds by all products the `count` rows most like each of rows [N, D], which lie in blocks and whose lengths do not matter; of equal ones the earlier. With
 * `queries`, it finds those of other rows, which are none of these. Where there are fewer, K is less. Throws RangeError for no rows, a part of a row, or a
 * count that is none; the signal's reason.
 */
export async function neighbourGraph(
  blocks: readonly Float32Array[],
  width: number,
  count: number,
  options: ProductOptions & {
    readonly products?: Products | undefined
    readonly queries?: readonly Float32Array[]
  } = {},
): Promise<NearestGraph> {
  const { products = plainProducts, signal, queries } = options
  const total = checkRows(blocks, width)
  if (!(Number.isInteger(count) && count >= 1)) throw new RangeError(`There are no ${count} neighbours.`)
  const units = unitRows(gatherAll(blocks, width, total), width)
  const asked =
    queries === undefined ? units : unitRows(gatherAll(queries, width, checkRows(queries, width)), width)
  const own = Math.min(count, queries === undefined ? total - 1 : total)
  const neighbours = new Int32Array((asked.length / width) * own)
  const similarities = new Float32Array(neighbours.length)
  const pause = pausesFor(signal)
  for (const { rows, first } of piecesOf([asked], width, Math.max(1, Math.floor(MOST_HELD / total)))) {
    const alike = await products.similarity(rows, units, width, { signal })
    for (let row = 0; row < rows.length / width; row++) {
      const at = (first + row) * own
      takeNearest(
        alike.subarray(row * total, (row + 1) * total),
        queries === undefined ? first + row : -1,
        neighbours.subarray(at, at + own),
        similarities.subarray(at, at + own),
      )
      if (row % 64 === 0) await pause()
    }
  }
  return { count: own, neighbours, similarities }
}

function gatherAll(blocks: readonly Float32Array[], width: number, total: number): Float32Array {
  if (blocks.length === 1) return blocks[0]
  return gatherRows(
    blocks,
    width,
    Int32Array.from({ length: total }, (_, row) => row),
  )
}

/** Keeps the nearest in order by insertion: few of many rows come nearer than the last that is kept. */
function takeNearest(alike: Float32Array, self: number, rows: Int32Array, scores: Float32Array): void {
  const count = rows.length
  if (count === 0) return
  let filled = 0
  for (let row = 0; row < alike.length; row++) {
    const score = alike[row]
    const isNear = filled < count ? Number.isFinite(score) : score > scores[count - 1]
    if (row === self || !isNear) continue
    let at = filled < count ? filled++ : count - 1
    for (; at > 0 && scores[at - 1] < score; at--) {
      scores[at] = scores[at - 1]
      rows[at] = rows[at - 1]
    }
    scores[at] = score
    rows[at] = row
  }
  if (filled < count)
    throw new RangeError('A row has no finite similarity to others: it holds an infinity or a NaN.')
}

/** Cuts the lists of a graph to the first `count`; gives the graph itself where they are no longer. */
export function firstNeighbours(graph: NearestGraph, count: number): NearestGraph {
  if (count >= graph.count) return graph
  const total = graph.neighbours.length / graph.count
  const neighbours = new Int32Array(total * count)
  const similarities = new Float32Array(total * count)
  for (let row = 0; row < total; row++) {
    const from = row * graph.count
    neighbours.set(graph.neighbours.subarray(from, from + count), row * count)
    similarities.set(graph.similarities.subarray(from, from + count), row * count)
  }
  return { count, neighbours, similarities }
}

/** Finds for each photo those that are most like it, as graphs have them that groups and maps are made of. */
import { rowLengths } from '../numerics/lengths.js'
import { approximateGraph, type NearestGraph, nearestGraph } from '../numerics/nearest-graph.js'
import { toHalf } from '../tensor/float16.js'
import type { Collection } from './collection.js'
import { halvesOf } from './row-block.js'

/** Is a graph by cosines, and how nearly it is the exact one. */
export interface PhotoGraph extends NearestGraph {
  /** Is the share of true neighbours that were found, measured on some photos; null for a graph that is exact. */
  readonly recall: number | null
}

/** Of more photos, not all pairs are compared. */
const MOST_EXACT = 200_000

/** Lists `count` neighbours of each row, or all others where there are fewer. Rows lie in blocks [N, D]. Throws RangeError for a count that is none; the signal's reason. */
export async function photoGraph(
  { about: { width }, products }: Collection,
  blocks: readonly Float32Array[],
  count: number,
  signal: AbortSignal | undefined,
): Promise<PhotoGraph> {
  const halves = blocks.map((block) => toHalf(block))
  const stored = halves.map(halvesOf)
  const total = blocks.reduce((sum, block) => sum + block.length / width, 0)
  const work = { products, signal }
  const graph =
    total > MOST_EXACT
      ? await approximateGraph(stored, width, count, work)
      : { ...(await nearestGraph(stored, width, count, work)), recall: null }
  return { ...graph, similarities: cosines(graph, lengthsOf(blocks, width)) }
}

function lengthsOf(blocks: readonly Float32Array[], width: number): Float32Array {
  const lengths = new Float32Array(blocks.reduce((sum, block) => sum + block.length / width, 0))
  let first = 0
  for (const block of blocks) {
    lengths.set(rowLengths(block, width), first)
    first += block.length / width
  }
  return lengths
}

/** Rounding to halves has left lengths that are not quite 1, which would count where photos are nearly the same. */
function cosines({ count, neighbours, similarities }: NearestGraph, lengths: Float32Array): Float32Array {
  return similarities.map((product, at) => {
    const [own, other] = [lengths[Math.floor(at / count)] ?? 1, lengths[neighbours[at] ?? -1] ?? 1]
    return Math.min(1, product / (own * other))
  })
}

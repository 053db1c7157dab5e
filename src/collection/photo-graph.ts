/** Finds for each photo those that are most like it by cosine, as groups and maps are made of them. */
import { rowLengths } from '../numerics/lengths.js'
import type { NearestGraph } from '../numerics/nearest-graph.js'
import { concatenate } from '../tensor/concatenate.js'
import { toHalf } from '../tensor/float16.js'
import type { Collection } from './collection.js'
import { type MeasuredGraph, neighboursOf } from './photo-vectors.js'

/** Lists `count` neighbours of each row, or all others where there are fewer. Rows lie in blocks [N, D]. Throws RangeError for a count that is none; the signal's reason. */
export async function photoGraph(
  { about: { width }, products }: Collection,
  blocks: readonly Float32Array[],
  count: number,
  signal: AbortSignal | undefined,
): Promise<MeasuredGraph> {
  const rows = concatenate(blocks)
  const graph = await neighboursOf(toHalf(rows), width, count, { products, signal })
  return { ...graph, similarities: cosinesOf(graph, rowLengths(rows, width)) }
}

/** Rounding to halves has left lengths that are not quite 1, which would count where photos are nearly the same. */
function cosinesOf({ count, neighbours, similarities }: NearestGraph, lengths: Float32Array): Float32Array {
  return similarities.map((product, at) => {
    const [own, other] = [lengths[Math.floor(at / count)] ?? 1, lengths[neighbours[at] ?? -1] ?? 1]
    return Math.min(1, product / (own * other))
  })
}

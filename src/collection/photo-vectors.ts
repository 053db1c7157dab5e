/** Gives embeddings of chosen photos in the order in which they are asked for, and finds which are nearest to each. */
import { approximateGraph, type NearestGraph, nearestGraph } from '../numerics/nearest-graph.js'
import type { RowScorer } from '../numerics/nearest-rows.js'
import type { Products } from '../numerics/products.js'
import { toHalf } from '../tensor/float16.js'
import type { Collection } from './collection.js'
import { CollectionError } from './collection-error.js'
import { halvesOf } from './row-block.js'

/** Gives [N, D] halves, a row of length 1 for each id. Throws `CollectionError` `damaged` for a photo without an embedding; what the collection throws; the signal's reason. */
export async function photoVectors(
  collection: Collection,
  ids: readonly string[],
  signal?: AbortSignal,
): Promise<Uint16Array> {
  const { width } = collection.about
  const vectors = new Uint16Array(ids.length * width)
  const places = new Map(ids.map((id, at) => [id, at]))
  let found = 0
  for await (const block of collection.scan({
    columns: ['id'],
    embeddings: true,
    ...(signal ? { signal } : {}),
  })) {
    const { embeddings } = block
    if (embeddings === undefined) continue
    for (const [row, id] of (block.values.id ?? []).entries()) {
      const place = places.get(String(id))
      if (place === undefined) continue
      const own = embeddings.subarray(row * width, (row + 1) * width)
      vectors.set(own instanceof Uint16Array ? own : toHalf(own), place * width)
      found++
    }
  }
  if (found === ids.length) return vectors
  throw new CollectionError(
    'damaged',
    `${collection.store.label} has ${ids.length} photos of which ${ids.length - found} have no embedding.`,
  )
}

/** Is a graph, and the share of right neighbours in it: 1 for an exact one. */
export type MeasuredGraph = NearestGraph & { readonly recall: number }

/** Above so many photos comparing all with all takes minutes on two cores, and groups of alike ones are looked through instead. */
const MOST_EXACT = 200_000

/** Finds the nearest of each of `vectors` [N, D] of halves. Throws the signal's reason. */
export async function neighboursOf(
  vectors: Uint16Array,
  width: number,
  count: number,
  { products, signal }: { readonly products: Products & RowScorer; readonly signal: AbortSignal | undefined },
): Promise<MeasuredGraph> {
  const blocks = [halvesOf(vectors)]
  if (vectors.length / width > MOST_EXACT)
    return await approximateGraph(blocks, width, count, { products, signal })
  return { ...(await nearestGraph(blocks, width, count, { products, signal })), recall: 1 }
}

/** Gives embeddings of chosen photos as numbers, in the order in which they are asked for. */
import { float16ToFloat32 } from '../tensor/float16.js'
import type { Collection } from './collection.js'
import { CollectionError } from './collection-error.js'

/** Gives [N, D], a row of length 1 for each id. Throws `CollectionError` `damaged` for a photo without an embedding; what the collection throws; the signal's reason. */
export async function photoVectors(
  collection: Collection,
  ids: readonly string[],
  signal?: AbortSignal,
): Promise<Float32Array> {
  const { width } = collection.about
  const vectors = new Float32Array(ids.length * width)
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
      const into = vectors.subarray(place * width, (place + 1) * width)
      if (own instanceof Uint16Array) float16ToFloat32(own, into)
      else into.set(own)
      found++
    }
  }
  if (found === ids.length) return vectors
  throw new CollectionError(
    'damaged',
    `${collection.store.label} has ${ids.length} photos of which ${ids.length - found} have no embedding.`,
  )
}

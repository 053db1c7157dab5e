/** Brings the photos that have an embedding, and their embeddings, into one order that stays whatever the store does with its rows. */
import { given } from '../encoder/choose-recipe.js'
import { widenRows } from '../numerics/stored-halves.js'
import type { Collection } from './collection.js'
import { CollectionError } from './collection-error.js'
import { type Row, rowsOf } from './row-block.js'

/** Holds N photos by their id. */
export interface EmbeddedPhotos {
  readonly ids: readonly string[]
  /** Holds `id` and the columns that were asked for. */
  readonly rows: readonly Row[]
  /** Is [N, D] together, float32. */
  readonly blocks: readonly Float32Array[]
}

/** So many rows a block has. */
const BLOCK_ROWS = 8192

/** Throws `CollectionError` `empty` where there is no photo with an embedding, and `unknown-column`; the signal's reason. */
export async function embeddedPhotos(
  collection: Collection,
  columns: readonly string[],
  signal: AbortSignal | undefined,
): Promise<EmbeddedPhotos> {
  const found = new Map<string, Row>()
  const wanted = [...new Set(['id', 'state', ...columns])]
  for await (const block of collection.scan({ columns: wanted, signal }))
    for (const row of rowsOf(block)) if (row.state === 'embedded') found.set(String(row.id), row)
  const { ids: stored, blocks } = await collection.vectors(given({ signal }))
  const order = [...stored.keys()].filter((at) => found.has(stored[at] ?? ''))
  order.sort((a, b) => ((stored[a] ?? '') < (stored[b] ?? '') ? -1 : 1))
  if (order.length === 0)
    throw new CollectionError(
      'empty',
      `${collection.store.label} has no photo with an embedding: index some photos first.`,
    )
  const widened: Float32Array[] = []
  for (let at = 0; at < order.length; at += BLOCK_ROWS) {
    signal?.throwIfAborted()
    widened.push(await widenRows(blocks, collection.about.width, order.slice(at, at + BLOCK_ROWS)))
  }
  const ids = order.map((at) => stored[at] ?? '')
  return { ids, rows: ids.map((id) => found.get(id) ?? {}), blocks: widened }
}

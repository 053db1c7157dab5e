/** Gives the rows of a collection as a table, for whoever writes them elsewhere. */
import { checkOptionNames, type OptionNames } from '../check-option-names.js'
import { checkChoice } from '../encoder/check-options.js'
import type { TypedBlock, TypedTable } from '../formats/typed-table.js'
import { float16ToFloat32 } from '../tensor/float16.js'
import type { Collection } from './collection.js'
import { columnOf } from './columns.js'
import type { RowBlock } from './row-block.js'

/** Says what of a collection is exported. */
export interface ExportChoice {
  /** Names the columns; default: all, but the number of the file on its disk. */
  readonly columns?: readonly string[]
  /**
   * Says how long embeddings are: `as-embedded` (default) gives back the model's own lengths, so that they are what `encode` gave, to the precision that the
   * collection keeps; `unit` gives them of length 1, as the collection has them; `none` leaves them out.
   */
  readonly embedding?: 'as-embedded' | 'unit' | 'none'
  /** Leaves out photos that have no embedding; default `false`. */
  readonly embeddedOnly?: boolean
  /** Ends the export, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal
}

export const EXPORT_CHOICE = {
  columns: true,
  embedding: true,
  embeddedOnly: true,
  signal: true,
} satisfies OptionNames<ExportChoice>

/** Names the column of embeddings wherever they go. */
const EMBEDDING_NAME = 'embedding'

/** Means something on this machine only. */
const OF_THIS_DISK = ['file']

/** Throws `CollectionError` `unknown-column`; RangeError for an unknown choice. */
export function exportTable(collection: Collection, choice: ExportChoice = {}): TypedTable {
  checkOptionNames(choice, EXPORT_CHOICE)
  const { embedding = 'as-embedded' } = choice
  checkChoice('embedding', embedding, ['as-embedded', 'unit', 'none'])
  const all = collection.columns.map(({ name }) => name).filter((name) => !OF_THIS_DISK.includes(name))
  const columns = (choice.columns ?? all).map((name) => columnOf(name, collection.columns))
  const { width } = collection.about
  return {
    columns,
    vector: embedding === 'none' ? null : { name: EMBEDDING_NAME, width },
    metadata: metadataOf(collection, embedding),
    blocks: blocksOf(
      collection,
      columns.map(({ name }) => name),
      { ...choice, embedding },
    ),
  }
}

/** Says what `embed` says of its outputs, and what the collection is besides. */
function metadataOf({ about }: Collection, embedding: string): Readonly<Record<string, string>> {
  const { digest, ...telling } = about.identity
  const { model, roots, columns, dtype } = about
  return {
    identity: digest,
    ...telling,
    collection: JSON.stringify({ model, roots, columns, dtype, embedding }),
  }
}

async function* blocksOf(
  collection: Collection,
  columns: readonly string[],
  { embedding, embeddedOnly = false, signal }: ExportChoice,
): AsyncGenerator<TypedBlock> {
  const embeddings = embedding !== 'none'
  const asked = [...new Set([...columns, 'state', 'norm'])]
  for await (const block of collection.scan({ columns: asked, embeddings, ...(signal ? { signal } : {}) })) {
    const typed = typedBlock(block, collection.about.width, embedding === 'unit')
    yield embeddedOnly ? withVectors(typed, collection.about.width) : typed
  }
}

function typedBlock({ count, values, embeddings }: RowBlock, width: number, isUnit: boolean): TypedBlock {
  const norms = values.norm ?? []
  const hasVector = norms.map((norm) => norm !== null)
  if (embeddings === undefined) return { count, values, hasVector }
  const vectors = new Float32Array(embeddings.length)
  if (embeddings instanceof Uint16Array) float16ToFloat32(embeddings, vectors)
  else vectors.set(embeddings)
  for (let row = 0; row < count && !isUnit; row++) {
    const norm = Number(norms[row] ?? 0)
    for (let at = row * width; at < (row + 1) * width; at++) vectors[at] = (vectors[at] ?? 0) * norm
  }
  return { count, values, vectors, hasVector }
}

function withVectors({ count, values, vectors, hasVector }: TypedBlock, width: number): TypedBlock {
  const rows = Array.from({ length: count }, (_, row) => row).filter((row) => hasVector?.[row] !== false)
  const kept = Object.fromEntries(
    Object.entries(values).map(([name, column]) => [name, rows.map((row) => column[row] ?? null)]),
  )
  if (vectors === undefined) return { count: rows.length, values: kept }
  const joined = new Float32Array(rows.length * width)
  for (const [to, row] of rows.entries())
    joined.set(vectors.subarray(row * width, (row + 1) * width), to * width)
  return { count: rows.length, values: kept, vectors: joined }
}

/**
 * Writes a whole collection into one file, and opens it in memory: what a page saves and a person sends. It is a safetensors file, which Python opens: the tensor
 * `embedding` [N, D] has the halves (or float32) as the collection keeps them, `rows` the other columns as JSON, and the metadata says what the collection is.
 */
import type { ByteSource } from '../checkpoint/checkpoint.js'
import { readRange } from '../checkpoint/read-range.js'
import { headerLength, parseSafetensorsHeader } from '../checkpoint/safetensors/parse-header.js'
import { streamSafetensors } from '../formats/safetensors.js'
import { type ProductOptions, productOptions } from '../numerics/products.js'
import { isRecord, type PlainRecord, parseJsonOrNull } from '../plain-value.js'
import { concatenateBytes } from '../tensor/concatenate.js'
import type { Collection } from './collection.js'
import { CollectionError } from './collection-error.js'
import { checkValue, columnOf, PHOTO_COLUMNS, type Value } from './columns.js'
import { createMemoryStore } from './memory-store.js'
import type { About, CollectionStore } from './store.js'

/** Is raised when the file means something else. */
const FORMAT = '1'
/** So many rows are taken into memory at a time when it is opened. */
const BLOCK_ROWS = 4096

/** Gives the bytes of the file, piece by piece; all rows are in memory meanwhile. Throws what the store throws; the signal's reason. */
export async function* saveCollection(
  collection: Collection,
  options: ProductOptions = {},
): AsyncGenerator<Uint8Array> {
  const { signal } = productOptions(options)
  const names = collection.columns.map(({ name }) => name)
  const columns: Record<string, Value[]> = Object.fromEntries(names.map((name) => [name, []]))
  const blocks: Uint8Array[] = []
  let count = 0
  for await (const block of collection.scan({
    columns: names,
    embeddings: true,
    ...(signal ? { signal } : {}),
  })) {
    for (const name of names) columns[name]?.push(...(block.values[name] ?? []))
    const { buffer, byteOffset, byteLength } = block.embeddings ?? new Uint16Array()
    blocks.push(new Uint8Array(buffer, byteOffset, byteLength))
    count += block.count
  }
  const { about } = collection
  const rows = new TextEncoder().encode(JSON.stringify(columns))
  const decisions = await collection.store.log('decisions').read()
  const tensors = [
    {
      name: 'embedding',
      dtype: about.dtype === 'float16' ? ('F16' as const) : ('F32' as const),
      shape: [count, about.width],
      read: async () => concatenateBytes(blocks),
    },
    { name: 'rows', dtype: 'U8' as const, shape: [rows.length], read: async () => rows },
  ]
  yield* streamSafetensors(tensors, {
    'plumage.collection': FORMAT,
    about: JSON.stringify(about),
    decisions: JSON.stringify(decisions),
  })
}

/** Opens what `saveCollection` has written, in memory. Throws `CollectionError` `unreadable` for any other file, and for one that is damaged. */
export async function openSavedCollection(file: ByteSource): Promise<CollectionStore> {
  try {
    return await openSaved(file)
  } catch (error) {
    if (error instanceof CollectionError) throw error
    throw unreadable(file.label, error instanceof Error ? error.message : String(error), error)
  }
}

async function openSaved(file: ByteSource): Promise<CollectionStore> {
  const { label } = file
  const length = headerLength(file, await readRange(file, 0, 8, 'the length of the header', undefined))
  const header = await readRange(file, 8, length, 'the header', undefined)
  const { tensors, metadata } = parseSafetensorsHeader(file, header)
  const found = metadata['plumage.collection']
  if (String(found) !== FORMAT)
    throw unreadable(
      label,
      found === undefined
        ? 'it is no saved collection'
        : `its format is ${String(found)}, expected ${FORMAT}`,
    )
  const bytesOf = async (name: string) => {
    const tensor = tensors.get(name)
    if (tensor === undefined) throw unreadable(label, `it has no ${name}`)
    return { tensor, bytes: await readRange(file, tensor.offset, tensor.byteLength, name, undefined) }
  }
  const about = aboutOf(label, metadata.about)
  const { tensor, bytes } = await bytesOf('embedding')
  const [count = 0, width] = tensor.shape
  const dtype = about.dtype === 'float16' ? 'F16' : 'F32'
  if (tensor.shape.length !== 2 || width !== about.width || tensor.dtype !== dtype)
    throw unreadable(
      label,
      `its embeddings are ${tensor.dtype} [${tensor.shape.join(', ')}], expected ${dtype} [N, ${about.width}]`,
    )
  const rows = parseJsonOrNull(new TextDecoder().decode((await bytesOf('rows')).bytes))
  const columns = columnsOf(label, rows, about, count)
  const store = createMemoryStore(about)
  const numbers =
    about.dtype === 'float16'
      ? new Uint16Array(bytes.buffer, bytes.byteOffset, count * width)
      : new Float32Array(bytes.buffer, bytes.byteOffset, count * width)
  for (let at = 0; at < count; at += BLOCK_ROWS) {
    const end = Math.min(at + BLOCK_ROWS, count)
    const values = Object.fromEntries(
      Object.entries(columns).map(([name, column]) => [name, column.slice(at, end)]),
    )
    await store.add({ count: end - at, values, embeddings: numbers.slice(at * width, end * width) })
  }
  if (Array.isArray(metadata.decisions))
    await store.log('decisions').replace(metadata.decisions.filter(isRecord))
  return store
}

function aboutOf(label: string, found: unknown): About {
  const about = found as Partial<About> | null
  const isWhole =
    typeof about === 'object' &&
    about !== null &&
    about.format === 1 &&
    typeof about.identity?.digest === 'string' &&
    typeof about.width === 'number' &&
    (about.dtype === 'float16' || about.dtype === 'float32') &&
    Array.isArray(about.columns)
  if (isWhole) return about as About
  throw unreadable(label, 'it does not say what the collection is')
}

/** Judges each value: a text where a number belongs would be found out much later. */
function columnsOf(
  label: string,
  rows: unknown,
  about: About,
  count: number,
): Readonly<Record<string, readonly Value[]>> {
  const known = [...PHOTO_COLUMNS, ...about.columns]
  const found = (typeof rows === 'object' && rows !== null ? rows : {}) as PlainRecord
  const columns = Object.entries(found).map(([name, values]) => {
    const column = columnOf(name, known)
    if (!Array.isArray(values) || values.length !== count)
      throw unreadable(label, `its column ${name} has not ${count} values`)
    for (const value of values) checkValue(column, value as Value)
    return [name, values as readonly Value[]] as const
  })
  const all = Object.fromEntries(columns)
  if (count > 0 && all.id === undefined) throw unreadable(label, 'its rows have no ids')
  return all
}

function unreadable(label: string, why: string, cause: unknown = undefined): CollectionError {
  return new CollectionError('unreadable', `${label} cannot be read: ${why}.`, { cause })
}

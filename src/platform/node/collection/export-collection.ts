/** Writes the rows of a collection into a file that other programs read. */
import { checkOptionNames } from '../../../check-option-names.js'
import type { Collection } from '../../../collection/collection.js'
import { EXPORT_CHOICE, type ExportChoice, exportTable } from '../../../collection/export-rows.js'
import { saveCollection } from '../../../collection/saved-collection.js'
import { bytesOf, type Chunks } from '../../../formats/chunk.js'
import { jsonText } from '../../../formats/json-text.js'
import { namesPath, npyHeader } from '../../../formats/npy.js'
import { typedCsv, typedJsonLines } from '../../../formats/typed-lines.js'
import type { TypedTable } from '../../../formats/typed-table.js'
import { PlacedFiles } from '../files/placed-files.js'

/** Are the formats that a collection is exported in, by the ending of the file. */
const EXPORT_ENDINGS = ['.parquet', '.arrow', '.jsonl', '.csv', '.npy', '.safetensors'] as const

/** A path starts from the current folder, and an address is that of an object in a bucket. */
function write(path: string, chunks: Chunks): Promise<void> {
  return new PlacedFiles(process.cwd()).write(path, chunks)
}

/** Says what was written. */
export interface ExportedCollection {
  /** Counts the rows. */
  readonly rows: number
  /** Names the files. */
  readonly files: readonly string[]
}

/**
 * Writes rows as Parquet (.parquet), Arrow's file format (.arrow, which is Feather version 2), JSON lines (.jsonl), CSV (.csv) NumPy (.npy, with the paths in a
 * .names.txt beside it), or all of the collection in one file that a page opens (.safetensors). Each file, or object of a bucket (`s3://bucket/key`), appears whole or not at all.
 *
 * @throws RangeError for another ending and an unknown choice; `CollectionError` `unknown-column`; `FileError` or `StorageError` where it cannot be written; the signal's reason
 */
export async function exportCollection(
  collection: Collection,
  path: string,
  choice: ExportChoice = {},
): Promise<ExportedCollection> {
  checkOptionNames(choice, EXPORT_CHOICE)
  const ending = EXPORT_ENDINGS.find((one) => path.toLowerCase().endsWith(one))
  if (ending === undefined)
    throw new RangeError(`The name ${path} does not tell the format: end it in ${EXPORT_ENDINGS.join(', ')}.`)
  if (ending === '.npy') return await exportNpy(collection, path, choice)
  if (ending === '.safetensors') return await exportWhole(collection, path, choice)
  const table = exportTable(collection, choice)
  let rows = 0
  const counted = async function* () {
    for await (const block of table.blocks) {
      rows += block.count
      yield block
    }
  }
  await write(path, await chunksOf(ending, { ...table, blocks: counted() }))
  return { rows, files: [path] }
}

async function chunksOf(
  ending: '.parquet' | '.arrow' | '.jsonl' | '.csv',
  table: TypedTable,
): Promise<Chunks> {
  switch (ending) {
    case '.parquet': {
      const { typedParquet } = await import('../../../formats/typed-parquet.js')
      return typedParquet(table)
    }
    case '.arrow': {
      const { arrowFile } = await import('./arrow-file.js')
      return arrowFile(table)
    }
    case '.jsonl':
      return typedJsonLines(table)
    case '.csv':
      return typedCsv(table)
  }
}

/** The whole collection is one file, which a page opens; a part of it would be another collection. */
async function exportWhole(
  collection: Collection,
  path: string,
  { signal, ...part }: ExportChoice,
): Promise<ExportedCollection> {
  const chosen = Object.entries(part).find(
    ([name, value]) =>
      value !== undefined && value !== false && !(name === 'embedding' && value === 'as-embedded'),
  )
  if (chosen !== undefined)
    throw new RangeError(
      `${path} holds the whole collection: leave ${chosen[0]} out, or choose another format.`,
    )
  await write(path, saveCollection(collection, signal === undefined ? {} : { signal }))
  return { rows: await collection.store.count(), files: [path] }
}

/** An array says first how many rows it has, so the paths are gathered first; they are written first too: where the array is, its names are. */
async function exportNpy(
  collection: Collection,
  path: string,
  choice: ExportChoice,
): Promise<ExportedCollection> {
  const { columns: _columns, ...rest } = choice
  if (rest.embedding === 'none')
    throw new RangeError(`${path} would hold nothing: an .npy file is of embeddings.`)
  const names: string[] = []
  const table = exportTable(collection, { ...rest, columns: ['root', 'path'], embeddedOnly: true })
  const { width } = collection.about
  const wanted = exportTable(collection, {
    ...rest,
    columns: ['root', 'path'],
    embedding: 'none',
    embeddedOnly: true,
  })
  for await (const { values, count } of wanted.blocks)
    for (let row = 0; row < count; row++)
      names.push(`${String(values.root?.[row])}/${String(values.path?.[row])}`)
  const beside = namesPath(path)
  await write(
    beside,
    names.map((name) => `${/[\p{Cc}\p{Cs}\u2028\u2029]|^"/u.test(name) ? jsonText(name) : name}\n`),
  )
  const numbers = async function* () {
    yield npyHeader([names.length, width])
    for await (const { vectors } of table.blocks) if (vectors !== undefined) yield bytesOf(vectors)
  }
  await write(path, numbers())
  return { rows: names.length, files: [path, beside] }
}

/**
 * Reads tables of rows and vectors that others have written: Parquet, Arrow, JSON lines, CSV, NumPy with names beside it, and a FiftyOne dataset's folder. Rows
 * come one by one; what they mean is not decided here.
 */
import { createReadStream } from 'node:fs'
import { open, readFile, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { inflateSync } from 'node:zlib'
import { asyncBufferFromFile } from 'hyparquet'
import { Collection } from '../../../collection/collection.js'
import { CollectionError } from '../../../collection/collection-error.js'
import { exportTable } from '../../../collection/export-rows.js'
import type { ImportedRow, ImportedTable } from '../../../collection/import-rows.js'
import { openSavedCollection } from '../../../collection/saved-collection.js'
import { namesPath } from '../../../formats/npy.js'
import { openParquetColumns } from '../../../formats/read-parquet.js'
import { readVector } from '../../../formats/read-vector.js'
import { valueAt, vectorAt } from '../../../formats/typed-table.js'
import { isRecord, type PlainRecord, parseJsonOrNull } from '../../../plain-value.js'
import { float16ToFloat32 } from '../../../tensor/float16.js'
import { openFile } from '../open-file.js'
import { checkArrowData } from './check-arrow.js'
import { checkArrowFile } from './check-arrow-file.js'
import { csvRecords } from './csv-records.js'
import { loadLance } from './load-lance.js'

/** No vector has more bytes. */
const MOST_BYTES = 2 ** 24

/** Are the files that can be read, by their ending. */
const READERS: Readonly<Record<string, (path: string, signal?: AbortSignal) => Promise<ImportedTable>>> = {
  '.parquet': openParquet,
  '.arrow': openArrow,
  '.feather': openArrow,
  '.jsonl': openJsonLines,
  '.ndjson': openJsonLines,
  '.csv': openCsv,
  '.npy': openNpy,
  '.safetensors': openSaved,
}

/** Throws `CollectionError` `not-found`, `unreadable` where it is no such table; the signal's reason. */
export async function openTable(path: string, signal?: AbortSignal): Promise<ImportedTable> {
  const found = await stat(path).catch(() => null)
  if (found === null) throw new CollectionError('not-found', `There is no file ${path}.`)
  if (found.isDirectory()) return await openFiftyOne(path)
  const ending = Object.keys(READERS).find((one) => path.toLowerCase().endsWith(one))
  if (ending === undefined)
    throw unreadable(
      path,
      `its name does not tell the format: expected one that ends in ${Object.keys(READERS).join(', ')}`,
    )
  try {
    const table = await READERS[ending]?.(path, signal)
    if (table === undefined) throw new Error(`there is no reader of ${ending}`)
    const metadata = { ...(await metaBeside(path)), ...table.metadata }
    return { ...table, metadata, rows: explained(path, table.rows, signal) }
  } catch (error) {
    signal?.throwIfAborted()
    throw error instanceof CollectionError ? error : unreadable(path, reasonOf(error))
  }
}

/** Says of a damaged part which file it is in. */
async function* explained(
  path: string,
  rows: AsyncIterable<ImportedRow>,
  signal: AbortSignal | undefined,
): AsyncGenerator<ImportedRow> {
  try {
    yield* rows
  } catch (error) {
    signal?.throwIfAborted()
    throw error instanceof CollectionError ? error : unreadable(path, reasonOf(error))
  }
}

/** Reads what `embed` has written beside its output of what made it. */
async function metaBeside(path: string): Promise<Readonly<Record<string, string>>> {
  const text = await readFile(`${path}.meta.json`, 'utf8').catch(() => null)
  const found = text === null ? null : parseJsonOrNull(text)
  return isRecord(found) && isRecord(found.identity) ? textsOf(found.identity) : {}
}

async function openParquet(path: string, signal?: AbortSignal): Promise<ImportedTable> {
  const table = await openParquetColumns(await asyncBufferFromFile(path))
  const { columns, metadata } = table
  const rows = async function* (): AsyncGenerator<ImportedRow> {
    let row = 0
    for await (const found of table.read(columns)) {
      signal?.throwIfAborted()
      const count = found[0]?.length ?? 0
      for (let at = 0; at < count; at++) {
        const values = Object.fromEntries(columns.map((name, column) => [name, found[column]?.[at]]))
        yield { place: `row ${++row}`, values }
      }
    }
  }
  return { columns, metadata, rows: rows() }
}

async function openArrow(path: string, signal?: AbortSignal): Promise<ImportedTable> {
  const { arrow } = loadLance()
  const schema = await schemaOf()
  const rows = async function* (): AsyncGenerator<ImportedRow> {
    await using file = await open(path)
    const reader = await arrow.RecordBatchReader.from(file)
    let row = 0
    for await (const batch of reader) {
      signal?.throwIfAborted()
      for (const [column, { name }] of schema.fields.entries()) {
        const data = batch.data.children[column]
        if (data?.length !== batch.numRows)
          throw new Error(`the column ${name} has ${data?.length} values for ${batch.numRows} rows`)
        checkArrowData(arrow, data, name)
      }
      for (let at = 0; at < batch.numRows; at++) {
        const values = Object.fromEntries(
          schema.fields.map(({ name }, column) => [name, plainOf(batch.getChildAt(column)?.get(at))]),
        )
        yield { place: `row ${++row}`, values }
      }
    }
  }
  const metadata = Object.fromEntries(schema.metadata)
  return { columns: schema.fields.map(({ name }) => name), metadata, rows: rows() }

  async function schemaOf() {
    await using file = await open(path)
    await checkArrowFile(file)
    const reader = await arrow.RecordBatchReader.from(file)
    return (await reader.open()).schema
  }

  /** Arrow gives halves as numbers where it reads them one by one, and lists as vectors of its own. */
  function plainOf(value: unknown): unknown {
    return value instanceof arrow.Vector ? value.toArray() : value
  }
}

async function openJsonLines(path: string, signal?: AbortSignal): Promise<ImportedTable> {
  const first = await firstLine(path)
  const opening = first === null ? null : parseJsonOrNull(first)
  if (!isRecord(opening)) throw unreadable(path, 'its first line is no JSON object')
  const rows = async function* (): AsyncGenerator<ImportedRow> {
    let line = 0
    for await (const text of createInterface({
      input: createReadStream(path),
      crlfDelay: Number.POSITIVE_INFINITY,
    })) {
      signal?.throwIfAborted()
      line++
      if (text.trim() === '') continue
      const found = parseJsonOrNull(text)
      yield isRecord(found)
        ? { place: `line ${line}`, values: found }
        : { place: `line ${line}`, reason: 'it is no JSON object' }
    }
  }
  return { columns: Object.keys(opening), metadata: textsOf(opening), rows: rows() }
}

async function firstLine(path: string): Promise<string | null> {
  const input = createReadStream(path)
  try {
    for await (const line of createInterface({ input })) if (line.trim() !== '') return line
    return null
  } finally {
    input.destroy()
  }
}

/** Columns that are called 0, 1, 2, … are the numbers of one vector. */
async function openCsv(path: string, signal?: AbortSignal): Promise<ImportedTable> {
  const opening = csvRecords(path, signal)
  const first = await opening.next()
  await opening.return(undefined)
  const names = first.done !== true && 'fields' in first.value ? Object.keys(first.value.fields) : []
  const numbered = names.filter((name, at) => /^\d+$/.test(name) && names.includes('0') && at >= Number(name))
  const columns = [
    ...names.filter((name) => !numbered.includes(name)),
    ...(numbered.length > 0 ? ['embedding'] : []),
  ]
  const rows = async function* (): AsyncGenerator<ImportedRow> {
    for await (const record of csvRecords(path, signal)) {
      const place = `line ${record.line}`
      if ('reason' in record) yield { place, reason: record.reason }
      else yield { place, values: csvValues(record.fields, columns, numbered) }
    }
  }
  return { columns, metadata: {}, rows: rows(), isText: true }
}

function csvValues(
  fields: Readonly<Record<string, string>>,
  columns: readonly string[],
  numbered: readonly string[],
): Readonly<Record<string, unknown>> {
  const values: Record<string, unknown> = {}
  for (const name of columns) {
    const text = fields[name] ?? ''
    values[name] = text === '' ? null : text
  }
  if (numbered.length === 0) return values
  const isEmpty = numbered.every((name) => fields[name] === '')
  values.embedding = isEmpty
    ? null
    : numbered.map((name) => (fields[name] === '' ? Number.NaN : Number(fields[name])))
  return values
}

/** Is a whole collection in one file. */
async function openSaved(path: string, signal?: AbortSignal): Promise<ImportedTable> {
  const source = await openFile(path)
  try {
    const collection = await Collection.open({ store: await openSavedCollection(source) })
    const { columns, metadata, vector, blocks } = exportTable(
      collection,
      signal === undefined ? {} : { signal },
    )
    const name = vector?.name ?? 'embedding'
    const rows = async function* (): AsyncGenerator<ImportedRow> {
      let row = 0
      for await (const block of blocks)
        for (let at = 0; at < block.count; at++) {
          const values = Object.fromEntries(
            columns.map((column) => [column.name, valueAt(block, column.name, at)]),
          )
          yield {
            place: `row ${++row}`,
            values: { ...values, [name]: vectorAt(block, vector?.width ?? 0, at) },
          }
        }
    }
    return { columns: [...columns.map((column) => column.name), name], metadata, rows: rows() }
  } finally {
    await source[Symbol.asyncDispose]()
  }
}

/** The names of the rows lie beside the array, one on each line. */
async function openNpy(path: string, signal?: AbortSignal): Promise<ImportedTable> {
  const beside = namesPath(path)
  const text = await readFile(beside, 'utf8').catch(() => {
    throw unreadable(path, `it has no names: expected one path on each line of ${beside}`)
  })
  const names = text.split('\n').slice(0, text.endsWith('\n') ? -1 : undefined)
  const { rows: count, width, size, start } = await npyShape(path)
  if (names.length !== count)
    throw unreadable(path, `it has ${count} rows, and ${beside} ${names.length} names`)
  const rows = async function* (): AsyncGenerator<ImportedRow> {
    const file = await open(path)
    try {
      for (const [row, line] of names.entries()) {
        signal?.throwIfAborted()
        const bytes = Buffer.alloc(width * size)
        await file.read(bytes, 0, bytes.length, start + row * bytes.length)
        const name = line.startsWith('"') ? parseJsonOrNull(line) : line
        yield { place: `row ${row + 1}`, values: { path: name, embedding: numbersOf(bytes, size) } }
      }
    } finally {
      await file.close()
    }
  }
  return { columns: ['path', 'embedding'], metadata: {}, rows: rows() }
}

const NPY_SIZES: Readonly<Record<string, number>> = { '<f2': 2, '<f4': 4, '<f8': 8 }

async function npyShape(path: string) {
  const file = await open(path)
  try {
    const opening = Buffer.alloc(4096)
    const { bytesRead } = await file.read(opening, 0, opening.length, 0)
    const major = opening[6]
    const lengthBytes = major === 1 ? 2 : 4
    const length = major === 1 ? opening.readUInt16LE(8) : opening.readUInt32LE(8)
    const start = 8 + lengthBytes + length
    if (!opening.subarray(0, 6).equals(Buffer.from('\x93NUMPY', 'latin1')) || start > bytesRead)
      throw unreadable(path, 'it is no NumPy array')
    const header = opening.toString('latin1', 8 + lengthBytes, start)
    const size = NPY_SIZES[/'descr': *'([^']*)'/.exec(header)?.[1] ?? '']
    const [, rows, width] = /'shape': *\((\d+), *(\d+)\)/.exec(header) ?? []
    const isRowMajor = header.includes("'fortran_order': False")
    if (size === undefined || rows === undefined || width === undefined || !isRowMajor)
      throw unreadable(path, 'it is no array [rows, numbers] of float16, float32 or float64 in C order')
    const bytes = Number(rows) * Number(width) * size
    if ((await file.stat()).size < start + bytes) throw unreadable(path, 'it is cut off')
    return { rows: Number(rows), width: Number(width), size, start }
  } finally {
    await file.close()
  }
}

function numbersOf(bytes: Buffer, size: number): Float32Array | Float64Array {
  const exact = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength)
  if (size === 8) return new Float64Array(exact)
  if (size === 4) return new Float32Array(exact)
  const out = new Float32Array(bytes.length / 2)
  float16ToFloat32(new Uint16Array(exact), out)
  return out
}

/** Is a dataset as FiftyOne exports it (FiftyOneDataset): samples.json lists samples; a vector field is a list of numbers, or NumPy's bytes. */
async function openFiftyOne(folder: string): Promise<ImportedTable> {
  const path = join(folder, 'samples.json')
  const text = await readFile(path, 'utf8').catch(() => {
    throw unreadable(folder, 'it holds no samples.json, as an exported FiftyOne dataset has')
  })
  const found = parseJsonOrNull(text)
  const samples = isRecord(found) ? found.samples : null
  if (!Array.isArray(samples)) throw unreadable(path, 'it lists no samples')
  const flat = samples.map((sample) => (isRecord(sample) ? flattened(sample, folder) : null))
  const columns = [...new Set(flat.flatMap((values) => Object.keys(values ?? {})))]
  const rows = async function* (): AsyncGenerator<ImportedRow> {
    for (const [at, values] of flat.entries())
      yield values === null
        ? { place: `sample ${at + 1}`, reason: 'it is no object' }
        : { place: `sample ${at + 1}`, values }
  }
  return { columns, metadata: {}, rows: rows() }
}

/** Takes one label out of a classification, and passes over what has no column: boxes, masks and FiftyOne's own fields. */
function flattened(sample: PlainRecord, folder: string): Readonly<Record<string, unknown>> {
  const values: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(sample)) {
    if (name === 'filepath') values.path = resolve(folder, String(value))
    else if (name === 'metadata' && isRecord(value))
      Object.assign(values, { height: value.height, width: value.width })
    else if (isRecord(value)) Object.assign(values, columnOf(name, value))
    else if (!name.startsWith('_')) values[name] = value
  }
  return values
}

/** A vector is what numpy.save wrote, compressed; a time is in MongoDB's words. */
function columnOf(name: string, value: PlainRecord): Readonly<Record<string, unknown>> {
  const { $binary: binary, $date: date, label } = value
  if (isRecord(binary) && typeof binary.base64 === 'string') {
    try {
      return {
        [name]: readVector(
          inflateSync(Buffer.from(binary.base64, 'base64'), { maxOutputLength: MOST_BYTES }),
        ),
      }
    } catch {
      // Other fields are bytes too.
      return {}
    }
  }
  if (date !== undefined)
    return { [name]: isRecord(date) ? Number(date.$numberLong) : Date.parse(String(date)) }
  return typeof label === 'string' ? { [name]: label } : {}
}

function textsOf(record: PlainRecord): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(record).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  )
}

function unreadable(path: string, why: string): CollectionError {
  return new CollectionError('unreadable', `${path} cannot be read: ${why}.`)
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

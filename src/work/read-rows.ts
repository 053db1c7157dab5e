/** Reads the numbers of a finished output back, row by row in their order, so that it can be added to without computing them again. */
import type { Chunks } from '../formats/chunk.js'
import type { Column, NamedTable } from '../formats/embedding-table.js'
import { isRecord, parseJsonOrNull } from '../plain-value.js'
import type { Files, OpenedFile } from './files.js'
import type { OutputFormat } from './output-format.js'
import { readLines } from './read-lines.js'

/** Writes and reads rows otherwise than as vectors, in the formats that it has. */
export interface RowFormat {
  write(format: OutputFormat, table: NamedTable): Chunks
  /** Yields null for a row that cannot be made sense of. */
  read(format: OutputFormat, file: OpenedFile, rowLength: number): AsyncGenerator<Float32Array | null>
}

/** Says how an output was written. */
export interface Written {
  readonly format: OutputFormat
  /** Counts the numbers of a row. */
  readonly rowLength: number
  /** Are null for a format without names for them. */
  readonly columns: readonly Column[] | null
  /** Reads rows that are no vectors. */
  readonly rowFormat?: RowFormat | undefined
}

/** Yields null for a row that cannot be made sense of. The numbers are valid until the next row. */
export async function* readRows(
  files: Files,
  path: string,
  written: Written,
): AsyncGenerator<Float32Array | null> {
  await using file = await files.open(path)
  const { format, rowLength, rowFormat } = written
  const rows = rowFormat?.read(format, file, rowLength) ?? READERS[format](file, written)
  for await (const values of rows) {
    yield values !== null && values.length === rowLength ? values : null
  }
}

type Reader = (file: OpenedFile, written: Written) => AsyncGenerator<Float32Array | null>

const READERS: Readonly<Record<OutputFormat, Reader>> = {
  jsonl: readJsonLines,
  csv: readCsv,
  npy: readNpy,
  parquet: readParquet,
}

async function* readJsonLines(file: OpenedFile, written: Written): AsyncGenerator<Float32Array | null> {
  const name = embeddingColumn(written)
  for await (const line of readLines(file)) {
    const row = parseJsonOrNull(line)
    const numbers = isRecord(row) ? row[name] : null
    // What JSON has no number for was written as null, and is again.
    yield Array.isArray(numbers) ? Float32Array.from(numbers, (value) => value ?? Number.NaN) : null
  }
}

/** The path may hold commas and line breaks where it is quoted; numbers never do. */
async function* readCsv(file: OpenedFile): AsyncGenerator<Float32Array | null> {
  for await (const record of csvRecords(file)) {
    const found = /^(?:"(?:[^"]|"")*"|[^",]*),(.*)$/s.exec(record)?.[1]
    yield found === undefined ? null : Float32Array.from(found.split(','), csvNumber)
  }
}

/** Yields the records behind the header. */
export async function* csvRecords(file: OpenedFile): AsyncGenerator<string> {
  let record: string | null = null
  let isHeader = true
  for await (const line of readLines(file)) {
    record = record === null ? line : `${record}\n${line}`
    if ((record.match(/"/g)?.length ?? 0) % 2 === 1) continue
    if (!isHeader) yield record
    record = null
    isHeader = false
  }
}

function csvNumber(text: string): number {
  if (text === 'inf') return Number.POSITIVE_INFINITY
  return text === '-inf' ? Number.NEGATIVE_INFINITY : Number(text)
}

async function* readNpy(file: OpenedFile, { rowLength }: Written): AsyncGenerator<Float32Array> {
  const opening = new Uint8Array(10)
  await file.read(opening, 0)
  const start = 10 + new DataView(opening.buffer).getUint16(8, true)
  const values = new Float32Array(rowLength)
  const bytes = new Uint8Array(values.buffer)
  for (let at = start; at + bytes.length <= file.size && bytes.length > 0; at += bytes.length) {
    await file.read(bytes, at)
    yield values
  }
}

async function* readParquet(file: OpenedFile, written: Written): AsyncGenerator<Float32Array | null> {
  const { readParquetVectors } = await import('../formats/read-parquet.js')
  const { size: byteLength } = file
  const slice = async (start: number, end = byteLength) => {
    const bytes = new Uint8Array(end - start)
    await file.read(bytes, start)
    return bytes.buffer
  }
  yield* readParquetVectors({ byteLength, slice }, embeddingColumn(written))
}

function embeddingColumn({ columns }: Written): string {
  const column = columns?.find(({ holds }) => holds === 'embedding')
  if (column === undefined) throw new RangeError('the output has no column with the numbers')
  return column.name
}

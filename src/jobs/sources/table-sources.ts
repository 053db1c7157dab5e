/** Reads tables with a column of addresses: CSV, JSON lines, Parquet and Lance, some rows at a time. */
import { CsvReader } from '../../formats/read-csv.js'
import { openParquetColumns, type ParquetColumns } from '../../formats/read-parquet.js'
import { isRecord, parseJsonOrNull } from '../../plain-value.js'
import type { SourceRow } from '../row.js'
import { addressRow } from './address-row.js'
import { linesOf } from './list-source.js'
import { type SourceBytes, textsOf } from './open-bytes.js'
import type { LanceRows, RowBatches, SourceReading, SourceWorld } from './source.js'
import { SourceError } from './source-error.js'
import { addressColumn, addressOf } from './table-column.js'

/** The first line names the columns. A record that has more or fewer fields is a row without an address: which field is which is not known. */
export async function* csvRows(source: SourceBytes, { world, options }: SourceReading): RowBatches {
  const reader = new CsvReader()
  let columns: readonly string[] | null = null
  let place = -1
  const rowsOf = (records: ReturnType<CsvReader['push']>) => {
    const rows: SourceRow[] = []
    for (const { line, fields } of records) {
      if (columns === null) {
        columns = fields
        place = fields.indexOf(addressColumn(fields, options.column, source.label))
        continue
      }
      const id = `line ${line}`
      const isWhole = fields.length === columns.length
      rows.push(
        isWhole
          ? addressRow(id, fields[place] ?? '', world.files, options.contact)
          : unplaced(id, `${fields.length} fields, expected ${columns.length}`),
      )
    }
    return rows
  }
  for await (const text of textsOf(source, world)) yield rowsOf(read(source, () => reader.push(text)))
  yield rowsOf(read(source, () => reader.end()))
}

function read<Result>({ label }: SourceBytes, parse: () => Result): Result {
  try {
    return parse()
  } catch (cause) {
    throw damaged(label, cause)
  }
}

/** The first object names the columns. A line that is none is a row without an address. */
export async function* jsonLinesRows(source: SourceBytes, { world, options }: SourceReading): RowBatches {
  let column: string | null = null
  let count = 0
  for await (const lines of linesOf(source, world)) {
    const rows: SourceRow[] = []
    for (const line of lines) {
      count++
      if (line.trim() === '') continue
      const id = `line ${count}`
      const found = parseJsonOrNull(count === 1 ? line.replace(/^\ufeff/, '') : line)
      if (!isRecord(found)) {
        if (column === null) throw damaged(source.label, new Error('its first line is no JSON object'))
        rows.push(unplaced(id, 'no JSON object'))
        continue
      }
      column ??= addressColumn(Object.keys(found), options.column, source.label)
      rows.push(addressRow(id, addressOf(found[column], column, source.label), world.files, options.contact))
    }
    yield rows
  }
}

/** Throws `SourceError` `damaged`, `unknown-column`, `unclear`. */
export async function openParquet(
  source: SourceBytes,
  { compressors }: Pick<SourceWorld, 'compressors'>,
): Promise<ParquetColumns> {
  const slice = async (start: number, end = source.size) => {
    const { buffer, byteOffset, byteLength } = await source.read(start, end - start)
    return buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer
  }
  return await openParquetColumns({ byteLength: source.size, slice }, compressors).catch((cause) => {
    throw damaged(source.label, cause)
  })
}

export async function* parquetRows(
  source: SourceBytes,
  { world, options }: SourceReading,
  table: ParquetColumns,
): RowBatches {
  const column = addressColumn(table.columns, options.column, source.label)
  let count = 0
  for await (const [values = []] of parquetValues(source, table, [column])) {
    const first = count + 1
    count += values.length
    yield values.map((value, at) =>
      addressRow(`row ${first + at}`, addressOf(value, column, source.label), world.files, options.contact),
    )
  }
}

/** Says of a damaged file which it is. */
export async function* parquetValues(
  { label }: SourceBytes,
  table: ParquetColumns,
  columns: readonly string[],
): AsyncGenerator<readonly (readonly unknown[])[]> {
  const parts = table.read(columns)
  for (;;) {
    const next = await parts.next().catch((cause) => {
      throw damaged(label, cause)
    })
    if (next.done === true) return
    yield next.value
  }
}

export async function* lanceRows(
  label: string,
  table: LanceRows,
  { world, options }: SourceReading,
): RowBatches {
  const column = addressColumn(table.columns, options.column, label)
  for await (const { ids, values } of table.read(column, options.signal))
    yield ids.map((id, at) =>
      addressRow(id, addressOf(values[at], column, label), world.files, options.contact),
    )
}

function unplaced(id: string, why: string): SourceRow {
  return { id, name: `${id} (${why})`, place: { address: '' } }
}

/** What is coded says itself what is to be done. */
export function damaged(label: string, cause: unknown): Error {
  if (cause instanceof Error && 'code' in cause) return cause
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new SourceError('damaged', `${label} cannot be read: ${reason}. Fetch or write it again.`, { cause })
}

/**
 * Writes and reads whole Parquet files whose columns are texts, numbers, or bytes of one length, as a vector's are: bytes are copied as they are, so that a file of
 * many vectors is made and read as fast as memory is. What such a file is stands in its key-value metadata, which is read without its rows.
 */
import { type AsyncBuffer, type FileMetaData, parquetMetadataAsync, parquetReadObjects } from 'hyparquet'
import { ByteWriter, ParquetWriter } from 'hyparquet-writer'
import { checkParquetPages } from './check-parquet-pages.js'

/** Is a column: null stands where a row has no value. */
export type PlainColumn = { readonly name: string } & (
  | { readonly kind: 'text'; readonly values: readonly (string | null)[] }
  | { readonly kind: 'int32' | 'float64'; readonly values: readonly (number | null)[] }
  | {
      readonly kind: 'bytes'
      /** Counts the bytes of each value. */
      readonly size: number
      readonly values: readonly (Uint8Array | null)[]
    }
)

export type PlainValue = string | number | Uint8Array | null

/** Is what a file says of itself in its key-value metadata. */
export type PlainMetadata = Readonly<Record<string, string>>

/** Gives the bytes of a file, which is in memory whole. */
export function plainParquet(columns: readonly PlainColumn[], metadata: PlainMetadata): Uint8Array {
  const bytes = new ByteWriter()
  const writer = new ParquetWriter({
    writer: bytes,
    schema: [
      { name: 'schema', num_children: columns.length },
      ...columns.map((column) => ({
        name: column.name,
        repetition_type: 'OPTIONAL' as const,
        ...(column.kind === 'bytes' ? { type_length: column.size } : {}),
        ...TYPES[column.kind],
      })),
    ],
    kvMetadata: Object.entries(metadata).map(([key, value]) => ({ key, value })),
    createdBy: 'plumage',
  })
  // What it writes into needs no waiting, so that it gives no promises.
  void writer.write({
    rowGroupSize: GROUP_ROWS,
    columnData: columns.map(({ name, kind, values }) => ({
      name,
      data: [...values],
      ...(kind === 'bytes' ? ({ encoding: 'PLAIN', codec: 'UNCOMPRESSED', statistics: false } as const) : {}),
    })),
  })
  void writer.finish()
  return bytes.getBytes()
}

/** So many rows are taken apart at a time when they are read. */
const GROUP_ROWS = 8192

const TYPES = {
  text: { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
  int32: { type: 'INT32' },
  float64: { type: 'DOUBLE' },
  bytes: { type: 'FIXED_LEN_BYTE_ARRAY' },
} as const

/** Reads bytes of a file from one place up to another, the latter not among them. */
export interface PlainFile {
  readonly byteLength: number
  slice(start: number, end?: number): Promise<Uint8Array>
}

/** Is a file whose end has been read. */
export interface OpenPlainParquet {
  readonly metadata: PlainMetadata
  readonly rows: number
  /** Reads rows, a group at a time. Throws Error for what no such file holds. */
  blocks(columns: readonly string[]): AsyncGenerator<readonly Readonly<Record<string, PlainValue>>[]>
}

/** Throws Error for what is no Parquet file. */
export async function openPlainParquet(file: PlainFile): Promise<OpenPlainParquet> {
  const buffer: AsyncBuffer = {
    byteLength: file.byteLength,
    slice: async (start, end) => exactBuffer(await file.slice(start, end)),
  }
  const found = await parquetMetadataAsync(buffer, { initialFetchSize: END_BYTES })
  return {
    metadata: Object.fromEntries(
      (found.key_value_metadata ?? []).map(({ key, value }) => [key, value ?? '']),
    ),
    rows: Number(found.num_rows),
    blocks: (columns) => blocksOf(buffer, found, columns),
  }
}

/** Holds the end of all but a file of very many row groups, and is read in one piece. */
const END_BYTES = 2 ** 15

async function* blocksOf(
  file: AsyncBuffer,
  metadata: FileMetaData,
  columns: readonly string[],
): AsyncGenerator<readonly Readonly<Record<string, PlainValue>>[]> {
  let rowStart = 0
  for (const [group, { num_rows }] of metadata.row_groups.entries()) {
    await checkParquetPages(file, metadata, group)
    const rowEnd = rowStart + Number(num_rows)
    yield await parquetReadObjects({ file, metadata, columns: [...columns], rowStart, rowEnd })
    rowStart = rowEnd
  }
}

function exactBuffer({ buffer, byteOffset, byteLength }: Uint8Array): ArrayBuffer {
  const isWhole = byteOffset === 0 && byteLength === buffer.byteLength
  return (isWhole ? buffer : buffer.slice(byteOffset, byteOffset + byteLength)) as ArrayBuffer
}

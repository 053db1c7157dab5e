/**
 * Writes Parquet with Birder's columns, `sample` and `embedding`, then height and width; the file's key-value metadata says what made them.
 * Parquet has no lists of fixed length: `embedding` is a list of float32 that is never null.
 */
import type { SchemaElement } from 'hyparquet'
import { ByteWriter, ParquetWriter } from 'hyparquet-writer'
import { type EmbeddingRow, type EmbeddingTable, rowWidth } from './embedding-table.js'

/** A row group has so many numbers, which are in memory at a time, several times over. */
const GROUP_VALUES = 2 ** 19

const SCHEMA: SchemaElement[] = [
  { name: 'schema', num_children: 4 },
  { name: 'sample', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'REQUIRED' },
  { name: 'embedding', converted_type: 'LIST', repetition_type: 'REQUIRED', num_children: 1 },
  { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
  { name: 'element', type: 'FLOAT', repetition_type: 'REQUIRED' },
  { name: 'height', type: 'INT32', repetition_type: 'REQUIRED' },
  { name: 'width', type: 'INT32', repetition_type: 'REQUIRED' },
]

export async function* parquetTable(table: EmbeddingTable): AsyncGenerator<Uint8Array> {
  const groupRows = Math.max(1, Math.floor(GROUP_VALUES / rowWidth(table, 'parquet')))
  const bytes = new GroupWriter()
  const writer = new ParquetWriter({
    writer: bytes,
    schema: SCHEMA,
    kvMetadata: Object.entries(table.metadata).map(([key, value]) => ({ key, value })),
    createdBy: 'plumage',
  })
  let group: EmbeddingRow[] = []
  for await (const row of table.rows) {
    group.push({ ...row, values: row.values.slice() })
    if (group.length < groupRows) continue
    await writeGroup(writer, group)
    yield bytes.take()
    group = []
  }
  if (group.length > 0) await writeGroup(writer, group)
  await writer.finish()
  yield bytes.take()
}

/** Numbers of a network do not compress: they are written as they are. */
async function writeGroup(writer: ParquetWriter, group: readonly EmbeddingRow[]): Promise<void> {
  const plain = { encoding: 'PLAIN', codec: 'UNCOMPRESSED', statistics: false } as const
  await writer.write({
    rowGroupSize: group.length,
    columnData: [
      { name: 'sample', data: group.map(({ path }) => path) },
      { name: 'embedding', data: group.map(({ values }) => Array.from(values)), ...plain },
      { name: 'height', data: Int32Array.from(group, ({ height }) => height) },
      { name: 'width', data: Int32Array.from(group, ({ width }) => width) },
    ],
  })
}

/** Gives up the bytes of a row group once they are taken, so that the library holds one at a time. */
class GroupWriter extends ByteWriter {
  /** Gives the bytes since the last time; what comes next is written over them. */
  take(): Uint8Array {
    const bytes = this.getBytes()
    this.index = 0
    return bytes
  }
}

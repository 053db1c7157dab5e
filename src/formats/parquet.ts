/**
 * Writes Parquet: path, embedding, height and width, or the columns that are asked for. The file's key-value metadata says what made them, and
 * holds Arrow's schema, so that Arrow's readers see vectors of one length; Parquet itself has lists only, here of float32 and never null.
 */
import type { SchemaElement } from 'hyparquet'
import { type ColumnSource, ParquetWriter } from 'hyparquet-writer'
import { type ArrowField, type ArrowType, arrowSchema } from './arrow-schema.js'
import {
  type Column,
  type ColumnContent,
  type EmbeddingRow,
  type EmbeddingTable,
  PARQUET_COLUMNS,
  rowWidth,
  type TableMetadata,
} from './embedding-table.js'
import { GroupWriter } from './group-writer.js'

/** A row group has so many numbers, which are in memory at a time, several times over. */
const GROUP_VALUES = 2 ** 18

export async function* parquetTable(table: EmbeddingTable): AsyncGenerator<Uint8Array> {
  const { columns = PARQUET_COLUMNS, metadata } = table
  const width = rowWidth(table, 'parquet')
  const groupRows = Math.max(1, Math.floor(GROUP_VALUES / width))
  const bytes = new GroupWriter()
  const arrow = arrowSchema(
    columns.map((column) => arrowField(column, width)),
    { ...metadata },
  )
  const writer = new ParquetWriter({
    writer: bytes,
    schema: [{ name: 'schema', num_children: columns.length }, ...columns.flatMap(schemaElements)],
    kvMetadata: Object.entries({ ...metadata, 'ARROW:schema': arrow }).map(([key, value]) => ({
      key,
      value,
    })),
    createdBy: 'plumage',
  })
  let group: EmbeddingRow[] = []
  for await (const row of table.rows) {
    group.push({ ...row, values: row.values.slice() })
    if (group.length < groupRows) continue
    await writeGroup(writer, group, columns, metadata)
    yield bytes.take()
    group = []
  }
  if (group.length > 0) await writeGroup(writer, group, columns, metadata)
  await writer.finish()
  yield bytes.take()
}

function schemaElements({ name, holds }: Column): SchemaElement[] {
  const repetition_type = 'REQUIRED'
  switch (KIND[holds]) {
    case 'text':
      return [{ name, type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type }]
    case 'int32':
      return [{ name, type: 'INT32', repetition_type }]
    default:
      return [
        { name, converted_type: 'LIST', repetition_type, num_children: 1 },
        { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
        { name: 'element', type: 'FLOAT', repetition_type },
      ]
  }
}

const KIND: Readonly<Record<ColumnContent, ArrowType['kind']>> = {
  path: 'text',
  embedding: 'vector',
  height: 'int32',
  width: 'int32',
  model: 'text',
  recipe: 'text',
  identity: 'text',
}

function arrowField({ name, holds }: Column, width: number): ArrowField {
  const kind = KIND[holds]
  return { name, type: kind === 'vector' ? { kind, length: width } : { kind } }
}

async function writeGroup(
  writer: ParquetWriter,
  group: readonly EmbeddingRow[],
  columns: readonly Column[],
  metadata: TableMetadata,
): Promise<void> {
  await writer.write({
    rowGroupSize: group.length,
    columnData: columns.map((column) => columnData(column, group, metadata)),
  })
}

function columnData(
  { name, holds }: Column,
  group: readonly EmbeddingRow[],
  metadata: TableMetadata,
): ColumnSource {
  switch (holds) {
    case 'path':
      return { name, data: group.map(({ path }) => path) }
    case 'embedding': {
      // Numbers of a network do not compress: they are written as they are.
      const plain = { encoding: 'PLAIN', codec: 'UNCOMPRESSED', statistics: false } as const
      return { name, data: group.map(({ values }) => Array.from(values)), ...plain }
    }
    case 'height':
    case 'width':
      return { name, data: Int32Array.from(group, (row) => row[holds]) }
    default:
      return { name, data: group.map(() => metadata[holds]) }
  }
}

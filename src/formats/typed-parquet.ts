/** Writes a typed table as Parquet; Arrow's schema in it makes its readers see vectors of one length. */
import type { SchemaElement } from 'hyparquet'
import { type ColumnSource, ParquetWriter } from 'hyparquet-writer'
import { type ArrowType, arrowSchema } from './arrow-schema.js'
import { GroupWriter } from './group-writer.js'
import { type ColumnType, type TypedBlock, type TypedTable, vectorAt } from './typed-table.js'

export async function* typedParquet({
  columns,
  vector,
  metadata,
  blocks,
}: TypedTable): AsyncGenerator<Uint8Array> {
  const bytes = new GroupWriter()
  const fields = columns.map(({ name, type }) => ({ name, type: ARROW[type], nullable: true }))
  const vectorField = (width: number) => ({ kind: 'vector', length: width }) as const
  const arrow = arrowSchema(
    vector === null
      ? fields
      : [...fields, { name: vector.name, type: vectorField(vector.width), nullable: true }],
    { ...metadata },
  )
  const elements = [
    ...columns.flatMap(({ name, type }) => ELEMENTS[type](name)),
    ...(vector === null ? [] : vectorElements(vector.name)),
  ]
  const writer = new ParquetWriter({
    writer: bytes,
    schema: [{ name: 'schema', num_children: columns.length + (vector === null ? 0 : 1) }, ...elements],
    kvMetadata: Object.entries({ ...metadata, 'ARROW:schema': arrow }).map(([key, value]) => ({
      key,
      value,
    })),
    createdBy: 'plumage',
  })
  for await (const block of blocks) {
    if (block.count === 0) continue
    const data = columns.map(({ name, type }) => columnData(name, type, block))
    const all = vector === null ? data : [...data, vectorData(vector, block)]
    await writer.write({ rowGroupSize: block.count, columnData: all })
    yield bytes.take()
  }
  await writer.finish()
  yield bytes.take()
}

const ARROW: Readonly<Record<ColumnType, ArrowType>> = {
  text: { kind: 'text' },
  integer: { kind: 'int64' },
  float: { kind: 'float64' },
  boolean: { kind: 'boolean' },
  timestamp: { kind: 'timestamp' },
  texts: { kind: 'texts' },
}

/** Names no zone: a camera's time has none. */
const WALL_TIME = { type: 'TIMESTAMP', isAdjustedToUTC: false, unit: 'MILLIS' } as const

const OPTIONAL = { repetition_type: 'OPTIONAL' } as const

const ELEMENTS: Readonly<Record<ColumnType, (name: string) => readonly SchemaElement[]>> = {
  text: (name) => [{ name, type: 'BYTE_ARRAY', converted_type: 'UTF8', ...OPTIONAL }],
  integer: (name) => [{ name, type: 'INT64', ...OPTIONAL }],
  float: (name) => [{ name, type: 'DOUBLE', ...OPTIONAL }],
  boolean: (name) => [{ name, type: 'BOOLEAN', ...OPTIONAL }],
  timestamp: (name) => [{ name, type: 'INT64', logical_type: WALL_TIME, ...OPTIONAL }],
  texts: (name) => [
    ...listOf(name),
    { name: 'element', type: 'BYTE_ARRAY', converted_type: 'UTF8', ...OPTIONAL },
  ],
}

function vectorElements(name: string): readonly SchemaElement[] {
  return [...listOf(name), { name: 'element', type: 'FLOAT', repetition_type: 'REQUIRED' }]
}

function listOf(name: string): readonly SchemaElement[] {
  return [
    { name, converted_type: 'LIST', num_children: 1, ...OPTIONAL },
    { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
  ]
}

function columnData(name: string, type: ColumnType, { values, count }: TypedBlock): ColumnSource {
  const column = values[name] ?? new Array<null>(count).fill(null)
  const convert = CONVERT[type]
  const data = column.map((value) => (value === null ? null : convert(value)))
  return { name, data }
}

const same = (value: unknown) => value
const CONVERT: Readonly<Record<ColumnType, (value: unknown) => unknown>> = {
  text: same,
  integer: (value) => BigInt(Number(value)),
  float: same,
  boolean: same,
  timestamp: (value) => new Date(Number(value)),
  texts: same,
}

function vectorData(
  { name, width }: { readonly name: string; readonly width: number },
  block: TypedBlock,
): ColumnSource {
  const data = Array.from({ length: block.count }, (_, row) => {
    const found = vectorAt(block, width, row)
    return found === null ? null : Array.from(found)
  })
  // Numbers of a network do not compress: they are written as they are.
  return { name, data, encoding: 'PLAIN', codec: 'UNCOMPRESSED', statistics: false }
}

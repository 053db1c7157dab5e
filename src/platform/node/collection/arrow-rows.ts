/** Turns rows of a collection into Arrow's, which LanceDB takes and gives. Halves go as the bits that they are: Arrow's own conversion loses carries. */
import type { DataType, Field, RecordBatch, Schema, Table, Vector } from 'apache-arrow'
import {
  type CollectionColumn,
  type ColumnType,
  PHOTO_COLUMNS,
  type Value,
} from '../../../collection/columns.js'
import type { Embeddings, RowBlock } from '../../../collection/row-block.js'
import type { About } from '../../../collection/store.js'
import type { Arrow } from './load-lance.js'

/** Names the column of embeddings. */
export const EMBEDDING = 'embedding'

function typeOf(arrow: Arrow, type: ColumnType): DataType {
  switch (type) {
    case 'text':
      return new arrow.Utf8()
    case 'integer':
      return new arrow.Int64()
    case 'float':
      return new arrow.Float64()
    case 'boolean':
      return new arrow.Bool()
    case 'timestamp':
      return new arrow.TimestampMillisecond()
    case 'texts':
      return new arrow.List(new arrow.Field('item', new arrow.Utf8(), true))
  }
}

export function fieldOf(arrow: Arrow, { name, type }: CollectionColumn): Field {
  return new arrow.Field(name, typeOf(arrow, type), name !== 'id')
}

/** Gives the fields of a table of photos. */
export function schemaOf(arrow: Arrow, { width, dtype, columns }: About): Schema {
  const number = new arrow.Field(
    'item',
    dtype === 'float16' ? new arrow.Float16() : new arrow.Float32(),
    true,
  )
  const fields = [...PHOTO_COLUMNS, ...columns].map((column) => fieldOf(arrow, column))
  return new arrow.Schema([
    ...fields,
    new arrow.Field(EMBEDDING, new arrow.FixedSizeList(width, number), true),
  ])
}

/** Makes a table of rows that have all columns and embeddings. A row that is not embedded has none there. */
export function tableOf(arrow: Arrow, about: About, block: RowBlock): Table {
  const schema = schemaOf(arrow, about)
  const children = [...PHOTO_COLUMNS, ...about.columns].map((column) =>
    columnData(arrow, column, block.values[column.name] ?? [], block.count),
  )
  const embedded = (block.values.norm ?? []).map((norm) => norm !== null)
  const all = [...children, embeddingData(arrow, about, block.embeddings ?? new Float32Array(), embedded)]
  const struct = arrow.makeData({
    type: new arrow.Struct(schema.fields),
    length: block.count,
    nullCount: 0,
    children: all,
  })
  return new arrow.Table(schema, [new arrow.RecordBatch(schema, struct)])
}

/** Makes a column of values. */
export function columnData(
  arrow: Arrow,
  { type }: CollectionColumn,
  values: readonly Value[],
  count: number,
) {
  if (type === 'boolean')
    return booleansOf(
      arrow,
      Array.from({ length: count }, (_, row) => values[row] ?? null),
    )
  const builder = arrow.makeBuilder({ type: typeOf(arrow, type), nullValues: [null, undefined] })
  for (let row = 0; row < count; row++) {
    const value = values[row] ?? null
    builder.append(type === 'integer' && value !== null ? BigInt(Number(value)) : value)
  }
  return builder.finish().flush()
}

/** The bits are handed over as bytes: of booleans that are all null Arrow writes none, which LanceDB refuses. */
function booleansOf(arrow: Arrow, values: readonly Value[]) {
  const bits = new Uint8Array(values.length)
  bits.set(bitsOf(values.map((value) => value === true)))
  return arrow.makeData({
    type: new arrow.Uint8(),
    length: values.length,
    nullCount: values.filter((value) => value === null).length,
    nullBitmap: bitsOf(values.map((value) => value !== null)),
    data: bits,
  })
}

function bitsOf(values: readonly boolean[]): Uint8Array {
  const bits = new Uint8Array(Math.ceil(values.length / 8))
  for (const [at, value] of values.entries())
    if (value) bits[at >> 3] = (bits[at >> 3] ?? 0) | (1 << (at & 7))
  return bits
}

function embeddingData(
  arrow: Arrow,
  { width, dtype }: About,
  values: Embeddings,
  embedded: readonly boolean[],
) {
  const type = dtype === 'float16' ? new arrow.Float16() : new arrow.Float32()
  // The values are handed over as they lie: Uint16Array is what Arrow keeps halves in.
  const child = arrow.makeData({ type, length: values.length, data: values } as never)
  const nullCount = embedded.filter((has) => !has).length
  return arrow.makeData({
    type: new arrow.FixedSizeList(width, new arrow.Field('item', type, true)),
    length: embedded.length,
    nullCount,
    nullBitmap: bitsOf(embedded),
    child,
  } as never)
}

/** Takes rows out of what LanceDB gives. */
export function blockFrom(
  batch: RecordBatch,
  columns: readonly CollectionColumn[],
  about: About,
  hasEmbeddings: boolean,
): RowBlock {
  const values = Object.fromEntries(
    columns.map(({ name, type }) => [name, valuesOf(batch.getChild(name), type, batch.numRows)]),
  )
  const embeddings = hasEmbeddings
    ? { embeddings: embeddingsOf(batch.getChild(EMBEDDING), batch.numRows, about) }
    : {}
  return { count: batch.numRows, values, ...embeddings }
}

function valuesOf(vector: Vector | null, type: ColumnType, count: number): readonly Value[] {
  if (vector === null) throw new Error(`a column of type ${type} is not among what was asked for`)
  return Array.from({ length: count }, (_, at) => {
    const value: unknown = vector.get(at)
    if (value === null || value === undefined) return null
    if (type === 'integer') return Number(value)
    return type === 'texts' ? Array.from(value as Iterable<string>) : (value as Value)
  })
}

/** Takes the embeddings of rows out of their column; a row without one has zeros. */
export function embeddingsOf(
  vector: Vector | null,
  count: number,
  { width, dtype }: Pick<About, 'width' | 'dtype'>,
): Embeddings {
  const made = new (dtype === 'float16' ? Uint16Array : Float32Array)(count * width)
  let row = 0
  for (const data of vector?.data ?? []) {
    const child = data.children[0]
    if (child === undefined) throw new Error('the embeddings hold no numbers')
    const values = child.values as Embeddings
    for (let at = 0; at < data.length; at++, row++) {
      if (!data.getValid(at)) continue
      // What lies in front of a slice is counted in the offset of either.
      const from = (data.offset + at) * width
      made.set(values.subarray(from, from + width), row * width)
    }
  }
  return made
}

/** Writes and reads Arrow's file format, whose vectors have one length. */

import { setImmediate } from 'node:timers/promises'
import type { Data, DataType } from 'apache-arrow'
import type { TypedBlock, TypedTable } from '../../../formats/typed-table.js'
import { columnData, fieldOf } from './arrow-rows.js'
import { type Arrow, loadLance } from './load-lance.js'

const NOTHING = Symbol('nothing is waiting')

/** Gives the bytes of the file, a block at a time. */
export async function* arrowFile({
  columns,
  vector,
  metadata,
  blocks,
}: TypedTable): AsyncGenerator<Uint8Array> {
  const { arrow } = loadLance()
  const fields = columns.map((column) => fieldOf(arrow, column))
  const all =
    vector === null
      ? fields
      : [...fields, new arrow.Field(vector.name, vectorType(arrow, vector.width), true)]
  const schema = new arrow.Schema(all, new Map(Object.entries(metadata)))
  const writer = new arrow.RecordBatchFileWriter()
  writer.reset(undefined, schema)
  const chunks = writer[Symbol.asyncIterator]()
  let next = chunks.next()
  for await (const block of blocks) {
    const data = columns.map((column) =>
      columnData(arrow, column, block.values[column.name] ?? [], block.count),
    )
    const children = vector === null ? data : [...data, vectorData(arrow, vector.width, block)]
    const struct = arrow.makeData({
      type: new arrow.Struct(schema.fields),
      length: block.count,
      nullCount: 0,
      children,
    })
    writer.write(new arrow.RecordBatch(schema, struct))
    // The writer keeps what nobody has taken: all of this block is, before the next is read.
    for (;;) {
      const found = await Promise.race([next, setImmediate(NOTHING)])
      if (found === NOTHING) break
      if (found.done === true) throw new Error('the writer of Arrow ended by itself')
      yield found.value as Uint8Array
      next = chunks.next()
    }
  }
  writer.finish()
  writer.close()
  for (let found = await next; found.done !== true; found = await chunks.next())
    yield found.value as Uint8Array
}

function vectorType(arrow: Arrow, width: number): DataType {
  return new arrow.FixedSizeList(width, new arrow.Field('item', new arrow.Float32(), true))
}

function vectorData(arrow: Arrow, width: number, { count, vectors, hasVector }: TypedBlock): Data {
  const bytes = new Uint8Array(Math.ceil(count / 8))
  let nullCount = 0
  for (let row = 0; row < count; row++) {
    if (hasVector?.[row] === false) nullCount++
    else bytes[row >> 3] = (bytes[row >> 3] ?? 0) | (1 << (row & 7))
  }
  const values = vectors ?? new Float32Array(count * width)
  const child = arrow.makeData({ type: new arrow.Float32(), length: values.length, data: values })
  return arrow.makeData({
    type: vectorType(arrow, width) as never,
    length: count,
    nullCount,
    nullBitmap: bytes,
    child,
  } as never)
}

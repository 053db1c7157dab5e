/**
 * Looks at what a batch of Arrow says of itself before its values are read: the library gives a list of any length that offsets name, and a process that goes
 * through one of two thousand million nothings neither ends nor says why (Columnar format of the Arrow project, "Physical Memory Layout").
 */
import type { Data } from 'apache-arrow'
import type { Arrow } from './load-lance.js'

/** Throws Error for values that do not lie in the bytes that are there. */
export function checkArrowData(arrow: Arrow, data: Data, name: string): void {
  const { type, length, values, valueOffsets, children } = data
  const { DataType } = arrow
  const fail = (what: string): never => {
    throw new Error(`the column ${name} has ${length} values, and ${what}`)
  }
  if (!(Number.isSafeInteger(length) && length >= 0)) fail('no column can')
  if (length === 0 || DataType.isNull(type)) return
  const { nullBitmap } = data
  if (nullBitmap !== undefined && nullBitmap.byteLength > 0 && nullBitmap.byteLength * 8 < length)
    fail(`says of ${nullBitmap.byteLength * 8} whether they are there`)
  if (valueOffsets !== undefined && valueOffsets.length > 0 && !DataType.isUnion(type)) {
    const items = DataType.isList(type) || DataType.isMap(type) ? children[0]?.length : values?.byteLength
    checkOffsets(valueOffsets, length, items ?? 0, fail)
  } else if (DataType.isFixedSizeList(type)) {
    const items = children[0]?.length ?? 0
    if (!(type.listSize >= 0 && length * type.listSize <= items)) fail(`lists that have ${items} numbers`)
  } else if (DataType.isBool(type)) {
    if (values.byteLength * 8 < length) fail(`${values.byteLength} bytes of them`)
  } else if (DataType.isStruct(type)) {
    if (children.some((child) => child.length < length)) fail('fewer of their parts')
  } else if (!DataType.isUnion(type)) {
    if (!(values !== undefined && values.length >= length * data.stride)) fail('fewer are there')
  }
  for (const child of children) checkArrowData(arrow, child, name)
  for (const chunk of data.dictionary?.data ?? []) checkArrowData(arrow, chunk, name)
}

function checkOffsets(
  offsets: Int32Array | BigInt64Array,
  length: number,
  items: number,
  fail: (what: string) => never,
): void {
  if (offsets.length <= length) fail(`says of ${offsets.length - 1} where they lie`)
  let before = 0
  for (let at = 0; at <= length; at++) {
    const offset = Number(offsets[at])
    if (offset < before || offset > items)
      fail(`value ${at} begins at ${offset} of ${items}, behind ${before}`)
    before = offset
  }
}

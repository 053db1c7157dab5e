/**
 * Looks at what the pages of a Parquet file say of themselves before they are read: a count that is wrong would have the reader make an array of any size, and a
 * process that runs out of memory cannot be told why. Headers are in Thrift's compact protocol (parquet.thrift of the Parquet project).
 */
import {
  type AsyncBuffer,
  type Compressors,
  type FileMetaData,
  parquetSchema,
  type SchemaTree,
  snappyUncompress,
} from 'hyparquet'
import { checkParquetRuns } from './check-parquet-runs.js'

/** No page has more values, and none is longer when it is unpacked: writers make pages of about a megabyte. */
const MOST_VALUES = 2 ** 24
const MOST_BYTES = 2 ** 28
/** Structs lie in each other no deeper. */
const MOST_DEEP = 8

type Thrift = number | boolean | { readonly [field: number]: Thrift } | null

/** Says which columns are looked at, all unless they are named, and how their pages are unpacked; Snappy's need nothing. */
interface PageChoice {
  readonly names?: readonly string[]
  readonly compressors?: Compressors
}

/** Throws Error for a page that cannot be what it says. */
export async function checkParquetPages(
  file: AsyncBuffer,
  metadata: FileMetaData,
  group: number,
  { names, compressors = {} }: PageChoice = {},
): Promise<void> {
  const { num_rows: rows = 0n, columns = [] } = metadata.row_groups[group] ?? {}
  const schema = parquetSchema(metadata)
  for (const { meta_data: chunk } of columns) {
    if (chunk === undefined) throw new Error('a column says nothing of where it lies')
    if (names?.includes(chunk.path_in_schema[0] ?? '') === false) continue
    if (!(rows >= 0n && rows <= chunk.num_values))
      throw new Error(`a column has ${chunk.num_values} values for ${rows} rows`)
    const dictionary = chunk.dictionary_page_offset ?? chunk.data_page_offset
    const start = Number(dictionary < chunk.data_page_offset ? dictionary : chunk.data_page_offset)
    const length = Number(chunk.total_compressed_size)
    if (!(start >= 0 && length >= 0 && start + length <= file.byteLength))
      throw new Error(
        `a column lies from byte ${start} to ${start + length}, and the file has ${file.byteLength}`,
      )
    const bytes = new Uint8Array(await file.slice(start, start + length))
    checkPages(bytes, Number(chunk.num_values), {
      ...levelsOf(schema, chunk.path_in_schema),
      isBoolean: chunk.type === 'BOOLEAN',
      unpack: unpackingOrNull(chunk.codec, compressors),
    })
  }
}

/** Is what pages share: how deep their values lie, and how they are unpacked, which is null where nothing here can. */
interface ColumnPages {
  readonly maxRepetition: number
  readonly maxDefinition: number
  readonly isBoolean: boolean
  readonly unpack: ((packed: Uint8Array, length: number) => Uint8Array) | null
}

function levelsOf(schema: SchemaTree, path: readonly string[]) {
  let [maxRepetition, maxDefinition] = [0, 0]
  let tree = schema
  for (const name of path) {
    const child = tree.children.find(({ element }) => element.name === name)
    if (child === undefined) throw new Error(`the schema has no column ${path.join('.')}`)
    tree = child
    const { repetition_type: kind } = tree.element
    if (kind === 'REPEATED') maxRepetition++
    if (kind !== 'REQUIRED') maxDefinition++
  }
  return { maxRepetition, maxDefinition }
}

function unpackingOrNull(codec: keyof Compressors, compressors: Compressors): ColumnPages['unpack'] {
  if (codec === 'UNCOMPRESSED') return (bytes) => bytes
  const given = compressors[codec]
  if (given !== undefined) return given
  if (codec !== 'SNAPPY') return null
  return (packed, length) => {
    const bytes = new Uint8Array(length)
    snappyUncompress(packed, bytes)
    return bytes
  }
}

function checkPages(bytes: Uint8Array, values: number, column: ColumnPages): void {
  if (!(values <= MOST_VALUES))
    throw new Error(`a column of a row group has ${values} values, more than ${MOST_VALUES}`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let count = 0
  // Of lists the reader reads on to the last byte, whatever has been counted.
  const isAll = (at: number) => count >= values && (column.maxRepetition === 0 || at >= view.byteLength - 1)
  for (let at = 0; at < view.byteLength && !isAll(at); ) {
    const reader = new ThriftReader(view, at)
    const header = reader.struct(0)
    const [unpacked, packed] = [numberIn(header, 2), numberIn(header, 3)]
    const isDictionary = header[7] !== undefined
    const found = numberIn(structIn(header[5] ?? header[7] ?? header[8]), 1)
    if (!isDictionary) count += found
    const isWhole =
      packed >= 0 && reader.at + packed <= view.byteLength && unpacked >= 0 && unpacked <= MOST_BYTES
    if (!isWhole || found < 0 || count > values || found > MOST_VALUES)
      throw new Error(
        `a page says that it has ${found} values in ${packed} bytes, ${unpacked} unpacked, which cannot be`,
      )
    if (!isDictionary) checkRuns(header, bytes.subarray(reader.at, reader.at + packed), column)
    at = reader.at + packed
  }
  if (count !== values) throw new Error(`a column has ${count} values, and says ${values}`)
}

function checkRuns(
  header: { readonly [field: number]: Thrift },
  packed: Uint8Array,
  { unpack, ...column }: ColumnPages,
): void {
  if (unpack === null) return
  const unpacked = numberIn(header, 2)
  if (header[5] !== undefined) {
    const data = structIn(header[5])
    const common = { ...column, values: numberIn(data, 1), encoding: numberIn(data, 2) }
    checkParquetRuns({ ...common, second: null, bytes: unpack(packed, unpacked) })
    return
  }
  const data = structIn(header[8])
  const common = { ...column, values: numberIn(data, 1), encoding: numberIn(data, 4) }
  const [nulls, definitionBytes, repetitionBytes] = [2, 5, 6].map((field) => numberIn(data, field))
  const levels = (definitionBytes ?? 0) + (repetitionBytes ?? 0)
  if (!(Math.min(nulls ?? 0, definitionBytes ?? 0, repetitionBytes ?? 0) >= 0 && levels <= packed.length))
    throw new Error(`a page of ${packed.length} bytes says that its levels have ${levels}`)
  const rest = packed.subarray(levels)
  checkParquetRuns({
    ...common,
    second: { levels: packed, repetitionBytes: repetitionBytes ?? 0, nulls: nulls ?? 0 },
    bytes: data[7] === false ? rest : unpack(rest, unpacked - levels),
  })
}

function structIn(value: Thrift | undefined): { readonly [field: number]: Thrift } {
  if (typeof value === 'object' && value !== null) return value
  throw new Error('a page has no header')
}

function numberIn(struct: { readonly [field: number]: Thrift }, field: number): number {
  const value = struct[field]
  if (typeof value === 'number') return value
  throw new Error('the header of a page is incomplete')
}

/** Reads what Thrift has written; texts are passed over. */
class ThriftReader {
  at: number
  readonly #view: DataView

  constructor(view: DataView, at: number) {
    this.#view = view
    this.at = at
  }

  struct(depth: number): { readonly [field: number]: Thrift } {
    if (depth > MOST_DEEP) throw new Error('the header of a page goes too deep')
    const fields: { [field: number]: Thrift } = {}
    for (let id = 0; ; ) {
      const byte = this.#byte()
      if (byte === 0) return fields
      id = byte >> 4 === 0 ? this.#zigzag() : id + (byte >> 4)
      fields[id] = this.#value(byte & 15, depth)
    }
  }

  #value(type: number, depth: number): Thrift {
    switch (type) {
      case 1:
      case 2:
        return type === 1
      case 3:
        return this.#byte()
      case 4:
      case 5:
      case 6:
        return this.#zigzag()
      case 7:
        this.at += 8
        return null
      case 8:
        this.at += this.#varint()
        return null
      case 12:
        return this.struct(depth + 1)
      default:
        throw new Error(`the header of a page holds a value of the kind ${type}`)
    }
  }

  #byte(): number {
    if (this.at >= this.#view.byteLength) throw new Error('the header of a page is cut off')
    return this.#view.getUint8(this.at++)
  }

  #varint(): number {
    let value = 0
    for (let scale = 1; scale <= 2 ** 49; scale *= 128) {
      const byte = this.#byte()
      value += (byte & 127) * scale
      if (byte < 128) return value
    }
    throw new Error('the header of a page holds a number that never ends')
  }

  #zigzag(): number {
    const value = this.#varint()
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }
}

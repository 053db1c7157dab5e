/**
 * Writes the schema that Arrow's libraries keep in a Parquet file under `ARROW:schema`: it says what Parquet cannot, that all lists are of one
 * length. It is a message of Arrow's IPC format (Schema.fbs and Message.fbs of the Arrow project) in base64.
 */
import { Builder } from 'flatbuffers'

export type ArrowType =
  | { readonly kind: 'text' | 'int32' | 'int64' | 'float64' | 'boolean' }
  /** Counts milliseconds since 1970, without a time zone. */
  | { readonly kind: 'timestamp' }
  /** Holds lists of text. */
  | { readonly kind: 'texts' }
  /** Holds lists of so many float32. */
  | { readonly kind: 'vector'; readonly length: number }

export interface ArrowField {
  readonly name: string
  readonly type: ArrowType
  /** Says that a row may have none; default `false`. */
  readonly nullable?: boolean
}

/** Are the numbers of Arrow's own enums. */
const TYPE = {
  int: 2,
  floatingPoint: 3,
  utf8: 5,
  boolean: 6,
  timestamp: 10,
  list: 12,
  fixedSizeList: 16,
} as const
const VERSION_5 = 4
const HEADER_SCHEMA = 1
const PRECISION_SINGLE = 1
const PRECISION_DOUBLE = 2
const UNIT_MILLISECOND = 1
/** Opens every message. */
const CONTINUATION = 0xffffffff

/** Arrow's readers take the schema's own metadata and pass over what else the Parquet file has. */
export function arrowSchema(
  fields: readonly ArrowField[],
  metadata: { readonly [key: string]: string } = {},
): string {
  const builder = new Builder(1024)
  const offsets = fields.map((field) => addField(builder, field))
  const vector = addVector(builder, offsets)
  const entries = Object.entries(metadata).map(([key, value]) => addKeyValue(builder, key, value))
  const custom = entries.length > 0 ? addVector(builder, entries) : null
  builder.startObject(4)
  builder.addFieldInt16(0, 0, 1) // little-endian
  builder.addFieldOffset(1, vector, 0)
  if (custom !== null) builder.addFieldOffset(2, custom, 0)
  const schema = builder.endObject()
  builder.startObject(5)
  builder.addFieldInt16(0, VERSION_5, 0)
  builder.addFieldInt8(1, HEADER_SCHEMA, 0)
  builder.addFieldOffset(2, schema, 0)
  builder.finish(builder.endObject())
  return btoa(String.fromCharCode(...encapsulated(builder.asUint8Array())))
}

function addKeyValue(builder: Builder, key: string, value: string): number {
  const texts = [builder.createString(key), builder.createString(value)] as const
  builder.startObject(2)
  builder.addFieldOffset(0, texts[0], 0)
  builder.addFieldOffset(1, texts[1], 0)
  return builder.endObject()
}

function addField(builder: Builder, { name, type, nullable = false }: ArrowField): number {
  const text = builder.createString(name)
  const children = addVector(builder, addItems(builder, type))
  const { id, offset } = addType(builder, type)
  return finishField(builder, { name: text, id, type: offset, children, nullable })
}

/** Names what a list holds as the Parquet file does. */
function addItems(builder: Builder, { kind }: ArrowType): readonly number[] {
  if (kind !== 'vector' && kind !== 'texts') return []
  const name = builder.createString('element')
  const children = addVector(builder, [])
  if (kind === 'texts') {
    builder.startObject(0)
    return [
      finishField(builder, { name, id: TYPE.utf8, type: builder.endObject(), children, nullable: true }),
    ]
  }
  const type = addFloat(builder, PRECISION_SINGLE)
  return [finishField(builder, { name, id: TYPE.floatingPoint, type, children, nullable: false })]
}

function addFloat(builder: Builder, precision: number): number {
  builder.startObject(1)
  builder.addFieldInt16(0, precision, 0)
  return builder.endObject()
}

function addInt(builder: Builder, bits: number): number {
  builder.startObject(2)
  builder.addFieldInt32(0, bits, 0)
  builder.addFieldInt8(1, 1, 0)
  return builder.endObject()
}

function addType(builder: Builder, type: ArrowType): { readonly id: number; readonly offset: number } {
  switch (type.kind) {
    case 'text':
      builder.startObject(0)
      return { id: TYPE.utf8, offset: builder.endObject() }
    case 'int32':
      return { id: TYPE.int, offset: addInt(builder, 32) }
    case 'int64':
      return { id: TYPE.int, offset: addInt(builder, 64) }
    case 'float64':
      return { id: TYPE.floatingPoint, offset: addFloat(builder, PRECISION_DOUBLE) }
    case 'boolean':
      builder.startObject(0)
      return { id: TYPE.boolean, offset: builder.endObject() }
    case 'timestamp':
      builder.startObject(2)
      builder.addFieldInt16(0, UNIT_MILLISECOND, 0)
      return { id: TYPE.timestamp, offset: builder.endObject() }
    case 'texts':
      builder.startObject(0)
      return { id: TYPE.list, offset: builder.endObject() }
    case 'vector':
      builder.startObject(1)
      builder.addFieldInt32(0, type.length, 0)
      return { id: TYPE.fixedSizeList, offset: builder.endObject() }
    default:
      return type satisfies never
  }
}

interface FieldParts {
  readonly name: number
  readonly id: number
  readonly type: number
  readonly children: number
  readonly nullable: boolean
}

function finishField(builder: Builder, { name, id, type, children, nullable }: FieldParts): number {
  builder.startObject(7)
  builder.addFieldOffset(0, name, 0)
  builder.addFieldInt8(1, nullable ? 1 : 0, 0)
  builder.addFieldInt8(2, id, 0)
  builder.addFieldOffset(3, type, 0)
  builder.addFieldOffset(5, children, 0)
  return builder.endObject()
}

function addVector(builder: Builder, offsets: readonly number[]): number {
  builder.startVector(4, offsets.length, 4)
  for (const offset of [...offsets].reverse()) builder.addOffset(offset)
  return builder.endVector()
}

/** Puts the mark and the length before a message, and fills it up to a multiple of eight bytes. */
function encapsulated(message: Uint8Array): Uint8Array {
  const length = Math.ceil(message.length / 8) * 8
  const bytes = new Uint8Array(8 + length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, CONTINUATION, true)
  view.setInt32(4, length, true)
  bytes.set(message, 8)
  return bytes
}

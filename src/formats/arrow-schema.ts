/**
 * Writes the schema that Arrow's libraries keep in a Parquet file under `ARROW:schema`: it says what Parquet cannot, that all lists are of one
 * length. It is a message of Arrow's IPC format (Schema.fbs and Message.fbs of the Arrow project) in base64.
 */
import { Builder } from 'flatbuffers'

export type ArrowType =
  | { readonly kind: 'text' | 'int32' }
  /** Holds lists of so many float32. */
  | { readonly kind: 'vector'; readonly length: number }

export interface ArrowField {
  readonly name: string
  readonly type: ArrowType
}

/** Are the numbers of Arrow's own enums. */
const TYPE = { int: 2, floatingPoint: 3, utf8: 5, fixedSizeList: 16 } as const
const VERSION_5 = 4
const HEADER_SCHEMA = 1
const PRECISION_SINGLE = 1
/** Opens every message. */
const CONTINUATION = 0xffffffff

/** Fields are never null. Arrow's readers take the schema's own metadata and pass over what else the Parquet file has. */
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

function addField(builder: Builder, { name, type }: ArrowField): number {
  const text = builder.createString(name)
  const children = addVector(builder, type.kind === 'vector' ? [addFloatField(builder)] : [])
  const { id, offset } = addType(builder, type)
  return finishField(builder, text, id, offset, children)
}

/** Names the numbers of a list as the Parquet file does. */
function addFloatField(builder: Builder): number {
  const text = builder.createString('element')
  const children = addVector(builder, [])
  builder.startObject(1)
  builder.addFieldInt16(0, PRECISION_SINGLE, 0)
  return finishField(builder, text, TYPE.floatingPoint, builder.endObject(), children)
}

function addType(builder: Builder, type: ArrowType): { readonly id: number; readonly offset: number } {
  switch (type.kind) {
    case 'text':
      builder.startObject(0)
      return { id: TYPE.utf8, offset: builder.endObject() }
    case 'int32':
      builder.startObject(2)
      builder.addFieldInt32(0, 32, 0)
      builder.addFieldInt8(1, 1, 0)
      return { id: TYPE.int, offset: builder.endObject() }
    case 'vector':
      builder.startObject(1)
      builder.addFieldInt32(0, type.length, 0)
      return { id: TYPE.fixedSizeList, offset: builder.endObject() }
    default:
      return type satisfies never
  }
}

function finishField(builder: Builder, name: number, id: number, type: number, children: number): number {
  builder.startObject(7)
  builder.addFieldOffset(0, name, 0)
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

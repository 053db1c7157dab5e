/**
 * Looks at the tables of Arrow's files before the library reads them: it goes through as many entries as a count says, and one flipped bit says two thousand
 * million. Tables are FlatBuffers (Schema.fbs, Message.fbs and File.fbs of the Arrow project).
 */
import type { FileHandle } from 'node:fs/promises'

/** Says what a field of a table leads to: bytes or numbers of a size, tables, or the fields of one. */
type Shape = { readonly entry: number } | { readonly tables: Fields } | { readonly table: Fields }
/** Says of fields, by their numbers, what is looked at. */
type Fields = { readonly [field: number]: Shape }

const TEXT = { entry: 1 }
const KEY_VALUE: Fields = { 0: TEXT, 1: TEXT }
const PAIRS = { tables: KEY_VALUE }
const FIELD: { [field: number]: Shape } = { 0: TEXT, 6: PAIRS }
FIELD[5] = { tables: FIELD }
const SCHEMA: Fields = { 1: { tables: FIELD }, 2: PAIRS }
const BLOCK_BYTES = 24
const FOOTER: Fields = {
  1: { table: SCHEMA },
  2: { entry: BLOCK_BYTES },
  3: { entry: BLOCK_BYTES },
  4: PAIRS,
}
const BATCH: Fields = { 1: { entry: 16 }, 2: { entry: 16 }, 4: { entry: 8 } }
/** Are what a message holds, by the number of its kind. */
const HEADERS: { readonly [kind: number]: Fields } = { 1: SCHEMA, 2: { 1: { table: BATCH } }, 3: BATCH }
/** No table of columns is larger; one that leads back to itself never ends. */
const MOST_TABLES = 100_000

const MAGIC = 'ARROW1'

/** Throws Error for a file whose tables cannot be what they say. */
export async function checkArrowFile(file: FileHandle): Promise<void> {
  const { size } = await file.stat()
  const opening = await bytesAt(file, 0, Math.min(size, MAGIC.length))
  if (opening.toString('latin1') !== MAGIC) return await checkMessages(file, size)
  const closing = await bytesAt(file, Math.max(0, size - 10), Math.min(size, 10))
  const length = closing.length < 10 ? 0 : closing.readInt32LE(0)
  if (closing.toString('latin1', 4) !== MAGIC || !(length > 0 && length <= size - 10))
    throw new Error('it is cut off')
  const footer = new Tables(await bytesAt(file, size - 10 - length, length))
  footer.check(footer.root, FOOTER)
  for (const list of [2, 3])
    for (const at of footer.entries(footer.root, list, BLOCK_BYTES)) {
      const [offset, metadata, body] = [footer.long(at), footer.int(at + 8), footer.long(at + 16)]
      if (!(offset >= 0 && metadata >= 8 && body >= 0 && offset + metadata + body <= size))
        throw new Error(`a batch lies at byte ${offset}, and the file has ${size}`)
      const opened = await openMessage(file, offset, offset + metadata)
      if (opened !== null && opened.body > body)
        throw new Error(`a batch has ${opened.body} bytes, where ${body} are`)
    }
}

/** Walks a stream of messages, which has no table of what is in it. */
async function checkMessages(file: FileHandle, size: number): Promise<void> {
  for (let at = 0; at < size; ) {
    const message = await openMessage(file, at, size)
    if (message === null) return
    at = message.end + message.body
    if (!(message.body >= 0 && at <= size)) throw new Error('it is cut off')
  }
}

/** Checks a message; null where its length is 0, which ends a stream. */
async function openMessage(file: FileHandle, start: number, most: number) {
  const opening = await bytesAt(file, start, Math.min(8, most - start))
  if (opening.length < 8) throw new Error('it is cut off')
  const isMarked = opening.readInt32LE(0) === -1
  const length = opening.readInt32LE(isMarked ? 4 : 0)
  const from = start + (isMarked ? 8 : 4)
  if (length === 0) return null
  if (!(length > 0 && from + length <= most)) throw new Error(`a message has ${length} bytes`)
  const message = new Tables(await bytesAt(file, from, length))
  const kind = message.byteIn(message.root, 1)
  message.check(message.root, { 2: { table: HEADERS[kind] ?? {} }, 4: PAIRS })
  return { end: from + length, body: message.longIn(message.root, 3) }
}

async function bytesAt(file: FileHandle, from: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length)
  const { bytesRead } = await file.read(bytes, 0, length, from)
  return bytes.subarray(0, bytesRead)
}

/** Reads FlatBuffers, whose places are judged; whatever leads out of them throws RangeError. */
class Tables {
  readonly #bytes: Buffer
  readonly root: number
  #count = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
    this.root = bytes.readInt32LE(0)
  }

  int(at: number): number {
    return this.#bytes.readInt32LE(at)
  }

  long(at: number): number {
    return Number(this.#bytes.readBigInt64LE(at))
  }

  byteIn(table: number, field: number): number {
    const at = this.#placeOf(table, field)
    return at === null ? 0 : this.#bytes.readUInt8(at)
  }

  longIn(table: number, field: number): number {
    const at = this.#placeOf(table, field)
    return at === null ? 0 : this.long(at)
  }

  /** Lists where the entries of a list lie, each of so many bytes. */
  entries(table: number, field: number, bytes: number): readonly number[] {
    const at = this.#placeOf(table, field)
    if (at === null) return []
    const list = at + this.int(at)
    const count = this.int(list)
    if (!(count >= 0 && list + 4 + count * bytes <= this.#bytes.length))
      throw new Error(`a list in ${this.#bytes.length} bytes says that it has ${count} entries`)
    return Array.from({ length: count }, (_, entry) => list + 4 + entry * bytes)
  }

  check(table: number, fields: Fields): void {
    if (++this.#count > MOST_TABLES) throw new Error(`it has more than ${MOST_TABLES} tables`)
    for (const [key, shape] of Object.entries(fields)) {
      const field = Number(key)
      if ('entry' in shape) this.entries(table, field, shape.entry)
      else if ('tables' in shape)
        for (const at of this.entries(table, field, 4)) this.check(at + this.int(at), shape.tables)
      else {
        const at = this.#placeOf(table, field)
        if (at !== null) this.check(at + this.int(at), shape.table)
      }
    }
  }

  #placeOf(table: number, field: number): number | null {
    const places = table - this.int(table)
    const within = 4 + 2 * field
    if (within >= this.#bytes.readUInt16LE(places)) return null
    const offset = this.#bytes.readUInt16LE(places + within)
    return offset === 0 ? null : table + offset
  }
}

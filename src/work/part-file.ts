/**
 * Writes and reads a part, which is the finished work of some seconds in one file that is there whole or not at all. It holds the length of the
 * header (8 bytes), the header as JSON, then the numbers of all rows as float32.
 */
import { bytesOf, type Chunk } from '../formats/chunk.js'
import { type PlainRecord, type PlainValue, parseJsonOrNull } from '../plain-value.js'
import type { Files, OpenedFile } from './files.js'
import { hasFields } from './json-object.js'
import { ofEarlierWork } from './output-error.js'

/** Stands for a finished input, which counts as the same while size and time of its file stay the same. */
export interface PartEntry {
  readonly path: string
  /** Counts the bytes of the image file. */
  readonly size: number
  readonly mtimeMs: number
  /** Counts pixels, as `width` does. */
  readonly height: number
  readonly width: number
  /** Counts the frames of the same film that were taken before this one; is left out for an image that is no frame. */
  readonly frame?: number
}

export interface PartHeader {
  readonly entries: readonly PartEntry[]
  /** Counts the bytes before the numbers. */
  readonly start: number
}

const LENGTH_BYTES = 8
const MAX_HEADER_BYTES = 64 * 2 ** 20

/** @param values float32 [entries, row length] */
export function partChunks(entries: readonly PartEntry[], values: Float32Array): readonly Chunk[] {
  const header = new TextEncoder().encode(JSON.stringify(entries))
  const length = new Uint8Array(LENGTH_BYTES)
  new DataView(length.buffer).setBigUint64(0, BigInt(header.length), true)
  return [length, header, bytesOf(values)]
}

/** Gives null where the file is not what `partChunks` made, as after a disk's failure: its inputs are then done again. */
export async function readPartHeaderOrNull(
  files: Files,
  path: string,
  rowBytes: number,
): Promise<PartHeader | null> {
  await using file = await ofEarlierWork(path, files.open(path))
  const length = await readBytesOrNull(file, 0, LENGTH_BYTES)
  if (length === null) return null
  const headerBytes = Number(new DataView(length.buffer).getBigUint64(0, true))
  if (headerBytes > MAX_HEADER_BYTES) return null
  const header = await readBytesOrNull(file, LENGTH_BYTES, headerBytes)
  if (header === null) return null
  const entries = entriesOrNull(new TextDecoder().decode(header))
  const start = LENGTH_BYTES + headerBytes
  return entries !== null && file.size === start + entries.length * rowBytes ? { entries, start } : null
}

function entriesOrNull(text: string): readonly PartEntry[] | null {
  const entries = parseJsonOrNull(text)
  return Array.isArray(entries) && entries.every(isPartEntry) ? entries : null
}

function isPartEntry(value: PlainValue): value is PartEntry & PlainRecord {
  return hasFields(value, ['path'], ['size', 'mtimeMs', 'height', 'width'])
}

/** Gives null where the file ends before. */
async function readBytesOrNull(file: OpenedFile, offset: number, length: number): Promise<Uint8Array | null> {
  if (offset + length > file.size) return null
  const bytes = new Uint8Array(length)
  return (await file.read(bytes, offset)) === length ? bytes : null
}

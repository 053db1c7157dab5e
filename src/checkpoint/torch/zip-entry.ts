/** Reads one entry of a zip archive: stored bytes from where they lie, deflated ones inflated within bounds. */
import { Inflate } from 'fflate'
import type { ByteSource } from '../checkpoint.js'
import { CheckpointError } from '../checkpoint-error.js'
import { decodeUtf8 } from '../parse-json.js'
import { readRange } from '../read-range.js'
import type { ZipEntry } from './zip-directory.js'

/** Deflate cannot shrink anything further than this. */
const MOST_EXPANSION = 1032
/** So many compressed bytes are inflated at once, which bounds what one step may inflate to. */
const INFLATE_STEP = 16 * 1024

/** Refuses what cannot be read, or cannot be true, from the directory alone. */
export function assertReadable(source: ByteSource, entry: ZipEntry): void {
  const refuse = (problem: string) => {
    throw new CheckpointError('malformed', `${source.label}: the entry ${entry.name} ${problem}`)
  }
  if (entry.encrypted) refuse('is encrypted')
  if (entry.compression === 'other') refuse('is compressed by a method that torch never writes')
  if (entry.compression === 'stored' && entry.size !== entry.compressedSize) {
    refuse(`is stored, yet ${entry.compressedSize} bytes are said to be ${entry.size}`)
  }
  if (entry.compression === 'deflated' && entry.size > entry.compressedSize * MOST_EXPANSION) {
    refuse(`is said to inflate from ${entry.compressedSize} to ${entry.size} bytes, which deflate cannot do`)
  }
}

/** Gives `length` bytes from `start` of the entry's contents, in memory of their own. */
export async function readZipEntry(
  source: ByteSource,
  entry: ZipEntry,
  start: number,
  length: number,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const offset = await findContents(source, entry, signal)
  if (entry.compression === 'stored') return readRange(source, offset + start, length, entry.name, signal)
  const compressed = await readRange(source, offset, entry.compressedSize, entry.name, signal)
  return inflate(source, entry, compressed, signal).slice(start, start + length)
}

/**
 * Finds the first byte of the contents, as they are stored or deflated. The local header repeats the name and has an extra field of its own (torch pads
 * with it), so it must be looked at.
 */
export async function findContents(
  source: ByteSource,
  entry: ZipEntry,
  signal: AbortSignal | undefined,
): Promise<number> {
  assertReadable(source, entry)
  const refuse = (problem: string) => {
    throw new CheckpointError('malformed', `${source.label}: the entry ${entry.name} ${problem}`)
  }
  const nameBytes = new TextEncoder().encode(entry.name).length
  const bytes = await readRange(source, entry.offset, 30 + nameBytes, `the header of ${entry.name}`, signal)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (view.getUint32(0, true) !== 0x04034b50)
    refuse(`is said to begin at ${entry.offset}, where no entry begins`)
  const sameLength = view.getUint16(26, true) === nameBytes
  if (!sameLength || decodeUtf8(bytes.subarray(30), entry.name) !== entry.name)
    refuse('has another name where it lies')
  const offset = entry.offset + 30 + nameBytes + view.getUint16(28, true)
  if (offset + entry.compressedSize > entry.limit)
    refuse(`reaches beyond ${entry.limit}, where the next thing begins`)
  return offset
}

function inflate(
  source: ByteSource,
  entry: ZipEntry,
  compressed: Uint8Array,
  signal: AbortSignal | undefined,
): Uint8Array {
  const out = new Uint8Array(entry.size)
  let filled = 0
  let finished = false
  const refuse = (found: string, cause?: unknown) => {
    throw new CheckpointError('malformed', `${source.label}: the entry ${entry.name} ${found}`, { cause })
  }
  const stream = new Inflate((chunk, final) => {
    if (filled + chunk.length > out.length)
      refuse(`inflates to more than the ${out.length} bytes it is said to have`)
    out.set(chunk, filled)
    filled += chunk.length
    finished = final
  })
  for (let at = 0; at < compressed.length && !finished; at += INFLATE_STEP) {
    signal?.throwIfAborted()
    try {
      stream.push(compressed.subarray(at, at + INFLATE_STEP), at + INFLATE_STEP >= compressed.length)
    } catch (cause) {
      if (cause instanceof CheckpointError) throw cause
      refuse('is not valid deflate data', cause)
    }
  }
  if (filled !== out.length) refuse(`inflates to ${filled} bytes, but is said to have ${out.length}`)
  return out
}

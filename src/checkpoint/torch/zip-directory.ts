/**
 * Reads the directory at the end of a zip archive, as far as torch.save writes it: zip64, stored or deflated, one volume.
 *
 * It is strict where zip readers usually are lenient, because two readers that disagree about a file can be played against each
 * other: no name stands twice, no entry lies over another, nothing lies between the directory and the end.
 */
import type { ByteSource } from '../checkpoint.js'
import { CheckpointError } from '../checkpoint-error.js'
import { decodeUtf8 } from '../parse-json.js'
import { readRange } from '../read-range.js'

export interface ZipEntry {
  readonly name: string
  /** Counts bytes from the start of the archive to the local header. */
  readonly offset: number
  /** No byte of this entry lies at or after it, since the next entry or the directory begins here. */
  readonly limit: number
  readonly compression: 'stored' | 'deflated' | 'other'
  readonly encrypted: boolean
  readonly compressedSize: number
  readonly size: number
}

const END_SIZE = 22
const LONGEST_COMMENT = 65535
const LOCATOR_SIZE = 20
const END64_SIZE = 56
const LONGEST_DIRECTORY = 64 * 2 ** 20
const LOCAL_HEADER_SIZE = 30

interface DirectoryPlace {
  readonly offset: number
  readonly size: number
  readonly entries: number
}

/** Gives the entries by name, in the order of the directory. Reads the end of the file alone. Throws `truncated`, `malformed` or `too-large`. */
export async function readZipDirectory(
  source: ByteSource,
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, ZipEntry>> {
  const place = await findDirectory(source, signal)
  if (place.size > LONGEST_DIRECTORY) {
    throw new CheckpointError(
      'too-large',
      `${source.label}: the zip directory is ${place.size} bytes; ${LONGEST_DIRECTORY} is the limit`,
    )
  }
  const bytes = await readRange(source, place.offset, place.size, 'the zip directory', signal)
  const records = parseRecords(source, bytes, place.entries)
  const byOffset = [...records].sort((a, b) => a.offset - b.offset)
  const entries = new Map<string, ZipEntry>()
  for (const record of records) entries.set(record.name, record)
  if (entries.size < records.length) refuseDuplicate(source, records)
  byOffset.forEach((entry, index) => {
    const next = byOffset[index + 1]
    const limit = next?.offset ?? place.offset
    if (entry.offset + LOCAL_HEADER_SIZE + entry.compressedSize > limit) refuseOverlap(source, entry, next)
    entries.set(entry.name, { ...entry, limit })
  })
  return entries
}

function refuseOverlap(source: ByteSource, entry: ZipEntry, next: ZipEntry | undefined): never {
  const claim = `${source.label}: the entry ${entry.name} is said to be the ${entry.compressedSize} bytes from ${entry.offset}`
  if (entry.offset + entry.compressedSize > source.size) {
    throw new CheckpointError('malformed', `${claim}, but the file has ${source.size}`)
  }
  throw new CheckpointError(
    'malformed',
    `${claim}, which overlaps ${next === undefined ? 'the directory' : next.name}`,
  )
}

function refuseDuplicate(source: ByteSource, records: readonly ZipEntry[]): never {
  const seen = new Set<string>()
  const twice = records.find(({ name }) => seen.size === seen.add(name).size)
  throw new CheckpointError(
    'malformed',
    `${source.label}: the entry ${twice?.name} stands twice in the archive; which is meant?`,
  )
}

/** Looks into the end record, and into the zip64 one before it where the numbers need more than 32 bits. */
async function findDirectory(source: ByteSource, signal: AbortSignal | undefined): Promise<DirectoryPlace> {
  const tailSize = Math.min(source.size, END_SIZE + LONGEST_COMMENT + LOCATOR_SIZE + END64_SIZE)
  const tailStart = source.size - tailSize
  const tail = await readRange(source, tailStart, tailSize, 'the end of the archive', signal)
  const view = new DataView(tail.buffer, tail.byteOffset, tail.byteLength)
  const end = findEndOrNull(view)
  if (end === null) {
    throw new CheckpointError(
      'truncated',
      `${source.label} begins as a zip archive (PyTorch), but its directory, which stands at the end, is missing. ` +
        'Was it downloaded completely?',
    )
  }
  const end64 = await readEnd64OrNull(source, view, end, tailStart, signal)
  const volume = view.getUint16(end + 4, true)
  const place = end64 ?? {
    entries: view.getUint16(end + 10, true),
    size: view.getUint32(end + 12, true),
    offset: view.getUint32(end + 16, true),
    directoryEnd: tailStart + end,
  }
  if (volume !== 0 && volume !== 0xffff) {
    throw new CheckpointError('malformed', `${source.label}: the archive is one of several volumes`)
  }
  if (place.offset + place.size !== place.directoryEnd) {
    throw new CheckpointError(
      'malformed',
      `${source.label}: the zip directory is said to be the ${place.size} bytes from ${place.offset}, ` +
        `but its end record stands at ${place.directoryEnd}`,
    )
  }
  return place
}

/** Looks for the end record backwards: its place is known only by the comment behind it, which must reach to the end of the file. */
function findEndOrNull(tail: DataView): number | null {
  for (let end = tail.byteLength - END_SIZE; end >= 0; end--) {
    if (tail.getUint32(end, true) !== 0x06054b50) continue
    if (end + END_SIZE + tail.getUint16(end + 20, true) === tail.byteLength) return end
  }
  return null
}

async function readEnd64OrNull(
  source: ByteSource,
  tail: DataView,
  end: number,
  tailStart: number,
  signal: AbortSignal | undefined,
): Promise<(DirectoryPlace & { readonly directoryEnd: number }) | null> {
  const locator = end - LOCATOR_SIZE
  if (locator < 0 || tail.getUint32(locator, true) !== 0x07064b50) return null
  const offset = safe64(source, tail, locator + 8)
  const bytes = await readRange(source, offset, END64_SIZE, 'the zip64 end record', signal)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (view.getUint32(0, true) !== 0x06064b50 || offset + END64_SIZE > tailStart + locator) {
    throw new CheckpointError(
      'malformed',
      `${source.label}: no zip64 end record at ${offset}, where one is said to be`,
    )
  }
  return {
    entries: safe64(source, view, 32),
    size: safe64(source, view, 40),
    offset: safe64(source, view, 48),
    directoryEnd: offset,
  }
}

function parseRecords(source: ByteSource, bytes: Uint8Array, count: number): ZipEntry[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const records: ZipEntry[] = []
  let at = 0
  while (at < bytes.byteLength) {
    const length = recordLength(view, at)
    if (length === null) {
      throw new CheckpointError(
        'malformed',
        `${source.label}: entry ${records.length} of the zip directory is damaged`,
      )
    }
    records.push(parseRecord(source, bytes.subarray(at, at + length)))
    at += length
  }
  if (records.length !== count) {
    throw new CheckpointError(
      'malformed',
      `${source.label}: the zip directory is said to have ${count} entries and has ${records.length}`,
    )
  }
  return records
}

function recordLength(view: DataView, at: number): number | null {
  if (at + 46 > view.byteLength || view.getUint32(at, true) !== 0x02014b50) return null
  const length =
    46 + view.getUint16(at + 28, true) + view.getUint16(at + 30, true) + view.getUint16(at + 32, true)
  return at + length <= view.byteLength ? length : null
}

function parseRecord(source: ByteSource, record: Uint8Array): ZipEntry {
  const view = new DataView(record.buffer, record.byteOffset, record.byteLength)
  const nameLength = view.getUint16(28, true)
  const name = decodeUtf8(record.subarray(46, 46 + nameLength), `${source.label}: the name of a zip entry`)
  const extraEnd = 46 + nameLength + view.getUint16(30, true)
  // A number whose field is all ones stands in the zip64 extra field instead, in the order of the calls below.
  const wide = wideFields(source, name, record.subarray(46 + nameLength, extraEnd))
  const field = (at: number) => {
    const value = view.getUint32(at, true)
    return value === 0xffffffff ? wide() : value
  }
  const size = field(24)
  const compressedSize = field(20)
  const offset = field(42)
  const method = view.getUint16(10, true)
  const compression = method === 0 ? 'stored' : method === 8 ? 'deflated' : 'other'
  return {
    name,
    offset,
    limit: 0,
    compression,
    encrypted: (view.getUint16(8, true) & 1) !== 0,
    compressedSize,
    size,
  }
}

/** Gives the eight-byte numbers of the zip64 extra field one after the other. */
function wideFields(source: ByteSource, name: string, extra: Uint8Array): () => number {
  const view = new DataView(extra.buffer, extra.byteOffset, extra.byteLength)
  let next = 0
  let end = 0
  for (let at = 0; at + 4 <= extra.byteLength; at += 4 + view.getUint16(at + 2, true)) {
    if (view.getUint16(at, true) !== 1) continue
    next = at + 4
    end = Math.min(next + view.getUint16(at + 2, true), extra.byteLength)
  }
  return () => {
    if (next + 8 > end) {
      throw new CheckpointError('malformed', `${source.label}: the entry ${name} lacks its zip64 sizes`)
    }
    next += 8
    return safe64(source, view, next - 8)
  }
}

function safe64(source: ByteSource, view: DataView, at: number): number {
  const value = Number(view.getBigUint64(at, true))
  if (Number.isSafeInteger(value)) return value
  throw new CheckpointError('malformed', `${source.label}: the archive speaks of ${value} bytes`)
}

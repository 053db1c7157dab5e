/**
 * Writes and reads the head of a file of packed weights:
 *
 *     16 bytes   what the file is
 *     4 bytes    length of the text, little-endian
 *     32 bytes   SHA-256 of the text
 *     the text   JSON: what was packed, for which code, and the digest of what follows
 *     zeros      up to a whole number of the largest pages that a system has
 *     weights    as an engine has packed them, to the file's end
 *
 * Whatever is read is judged: a file of packed weights may have been cut off, or be something else.
 */
import { createHash } from 'node:crypto'
import { isRecord, type PlainRecord, parseJsonOrNull } from '../../../plain-value.js'

const MAGIC = Buffer.from('plumage packed\r\n', 'latin1')
/** So many bytes tell what a file is. */
export const START_BYTES = MAGIC.length
const FIXED_BYTES = START_BYTES + 4 + 32
/** A page of any system is a part of it: 4 KiB, 16 KiB or 64 KiB. */
const UNIT = 2 ** 16
/** Holds the texts of all networks that there are, several times. */
const MOST_BYTES = 2 ** 20

/** Says what a file of packed weights holds, and what its weights have to agree with. */
export interface PackedHeader {
  /** Is raised when the file is laid out in another way. */
  readonly format: number
  /** Names the version of this library that has written it. */
  readonly plumage: string
  /** Is the version of the numbers, and that of the digest of weights. */
  readonly versions: readonly number[]
  /** Names the model after its file. */
  readonly model: string
  /** Leads to the checkpoint. */
  readonly path: string
  /** Tells the state that each file of the checkpoint had. */
  readonly files: readonly string[]
  /** Digests how the checkpoint was read: its layout, and the config of the network. */
  readonly network: string
  readonly instructionSet: string
  readonly precision: string
  /** Digests how the engine packs. */
  readonly packing: string
  /** Is the digest of the weights before they were packed. */
  readonly weights: string
  /** Counts the bytes of packed weights. */
  readonly byteLength: number
  /** Digests the packed weights. */
  readonly digest: string
}

export const PACKED_FORMAT = 1

/** Gives all that comes in front of the weights. */
export function writePackedHeader(header: PackedHeader): Uint8Array {
  const text = Buffer.from(JSON.stringify(header), 'utf8')
  const bytes = Buffer.alloc(Math.ceil((FIXED_BYTES + text.length) / UNIT) * UNIT)
  MAGIC.copy(bytes)
  bytes.writeUInt32LE(text.length, MAGIC.length)
  createHash('sha256')
    .update(text)
    .digest()
    .copy(bytes, MAGIC.length + 4)
  text.copy(bytes, FIXED_BYTES)
  return bytes
}

/** Is why a file is refused that is somebody else's. */
export const NO_PACKED = 'it holds no packed weights'

/** Gives what the bytes of a file begin with. `offset` is that of the weights. */
export interface ReadHeader {
  readonly header: PackedHeader
  readonly offset: number
}

/** Tells whether a file that begins so was written by this library as one of packed weights, whole or not. */
export function isPackedStart(bytes: Uint8Array): boolean {
  return MAGIC.equals(bytes.subarray(0, MAGIC.length))
}

/**
 * @param read gives so many bytes from an offset, or fewer where the file ends
 * @param size counts the bytes of the file
 * @returns the head, or why it is none in a few words
 */
export async function readPackedHeader(
  read: (offset: number, length: number) => Promise<Uint8Array>,
  size: number,
): Promise<ReadHeader | string> {
  const start = Buffer.from(await read(0, FIXED_BYTES))
  if (!isPackedStart(start)) return NO_PACKED
  if (start.length < FIXED_BYTES) return 'it is cut off'
  const length = start.readUInt32LE(MAGIC.length)
  if (length > MOST_BYTES) return 'its head is damaged'
  const text = await read(FIXED_BYTES, length)
  if (text.length < length) return 'it is cut off'
  const digest = createHash('sha256').update(text).digest()
  if (!digest.equals(start.subarray(MAGIC.length + 4))) return 'its head is damaged'
  const header = headerOrNull(Buffer.from(text).toString('utf8'))
  if (header === null) return 'it was made by another version of plumage'
  const offset = Math.ceil((FIXED_BYTES + length) / UNIT) * UNIT
  if (offset + header.byteLength === size) return { header, offset }
  return offset + header.byteLength > size ? 'it is cut off' : 'it is longer than it should be'
}

/** Gives null where the text is not that of this format. */
function headerOrNull(text: string): PackedHeader | null {
  const value = parseJsonOrNull(text)
  if (!isRecord(value) || value.format !== PACKED_FORMAT) return null
  return Object.entries(KINDS).every(([name, isKind]) => isKind(value[name])) ? asHeader(value) : null
}

const isText = (value: unknown) => typeof value === 'string'
const isDigest = (value: unknown) => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value)
const isCount = (value: unknown) => Number.isSafeInteger(value) && Number(value) > 0
const isListOf = (isKind: (value: unknown) => boolean) => (value: unknown) =>
  Array.isArray(value) && value.every(isKind)

const KINDS: { readonly [Name in keyof PackedHeader]: (value: unknown) => boolean } = {
  format: isCount,
  plumage: isText,
  versions: isListOf(isCount),
  model: isText,
  path: isText,
  files: isListOf(isText),
  network: isDigest,
  instructionSet: isText,
  precision: isText,
  packing: isDigest,
  weights: isDigest,
  byteLength: isCount,
  digest: isDigest,
}

function asHeader(value: PlainRecord): PackedHeader {
  return value as unknown as PackedHeader
}

/**
 * Judges the header of a safetensors file, which is eight bytes of length and JSON; the tensors follow without a byte between or after
 * them.
 *
 * Everything that the header claims is checked here, so that reading a tensor later can trust it. The rules are the
 * format's own: no gaps, no overlaps, shape and type agree with the bytes, no name twice.
 */
import { isRecord, type PlainRecord, type PlainValue } from '../../plain-value.js'
import { BYTES_PER_ELEMENT, type DType } from '../../tensor/dtype.js'
import type { Shape } from '../../tensor/shape.js'
import type { ByteSource, TensorInfo } from '../checkpoint.js'
import { CheckpointError } from '../checkpoint-error.js'
import { decodeUtf8, parseJson } from '../parse-json.js'
import { readMetadata } from './read-metadata.js'

/** The format's own library has this limit. */
const LONGEST_HEADER = 100_000_000
const MOST_DIMENSIONS = 64

export interface StoredTensor extends TensorInfo {
  /** Counts bytes from the start of the file to the tensor's first. */
  readonly offset: number
}

export interface SafetensorsHeader {
  /** Holds them in the order of their bytes. */
  readonly tensors: ReadonlyMap<string, StoredTensor>
  readonly metadata: PlainRecord
}

/** Takes the length of the header from the first eight bytes of the file. Throws `truncated`, `too-large`. */
export function headerLength(source: ByteSource, bytes: Uint8Array): number {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true)
  if (length > BigInt(source.size - 8)) {
    throw new CheckpointError(
      'truncated',
      `${source.label}: the safetensors header is said to be ${length} bytes long, but only ${source.size - 8} bytes follow. ` +
        'Was it downloaded completely?',
    )
  }
  if (length > BigInt(LONGEST_HEADER)) {
    throw new CheckpointError(
      'too-large',
      `${source.label}: the safetensors header is ${length} bytes long; the format allows ${LONGEST_HEADER}`,
    )
  }
  return Number(length)
}

/**
 * Throws `CheckpointError` that names the entry at fault.
 *
 * @param bytes are those of the header, behind its length
 */
export function parseSafetensorsHeader(source: ByteSource, bytes: Uint8Array): SafetensorsHeader {
  const what = `${source.label}: the safetensors header`
  const text = decodeUtf8(bytes, what)
  const header = parseJson(text, what)
  if (text[0] !== '{' || !isRecord(header)) {
    throw new CheckpointError(
      'malformed',
      `${what} is not a JSON object but begins with ${text.slice(0, 20)}`,
    )
  }
  const start = 8 + bytes.length
  const tensors: [string, StoredTensor][] = []
  let metadata: PlainRecord = {}
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') metadata = readMetadata(entry, source.label)
    else tensors.push([name, readEntry(source, name, entry, start)])
  }
  tensors.sort(([, a], [, b]) => a.offset - b.offset || a.byteLength - b.byteLength)
  assertCovered(source, tensors, start)
  return { tensors: new Map(tensors), metadata }
}

function readEntry(source: ByteSource, name: string, entry: PlainValue, start: number): StoredTensor {
  const refuse = (problem: string, code: 'malformed' | 'truncated' = 'malformed'): never => {
    throw new CheckpointError(code, `${source.label}: ${name} ${problem}`, { tensor: name })
  }
  if (!isRecord(entry)) return refuse('is described by something else than a JSON object')
  const { dtype, shape, data_offsets: offsets } = entry
  for (const key of Object.keys(entry)) {
    if (key !== 'dtype' && key !== 'shape' && key !== 'data_offsets') {
      return refuse(`has an entry ${JSON.stringify(key)} that the format does not know`)
    }
  }
  if (!isDType(dtype)) {
    return refuse(`has the dtype ${shown(dtype)}; known are ${Object.keys(BYTES_PER_ELEMENT).join(', ')}`)
  }
  if (!isShape(shape)) return refuse(`has the shape ${shown(shape)}, which is not a list of sizes`)
  if (!isRisingPair(offsets)) {
    return refuse(`lies at ${shown(offsets)}, where two rising offsets from 0 are expected`)
  }
  const [first, end] = offsets
  const available = source.size - start
  if (end > available) {
    return refuse(
      `ends ${end} bytes after the header, but the file has only ${available} there. Was it downloaded completely?`,
      'truncated',
    )
  }
  const needed = byteLengthOrNull(shape, dtype)
  if (needed !== end - first) {
    const bytes = needed === null ? 'more bytes than can be counted' : `${needed} bytes`
    return refuse(`is ${dtype} [${shape.join(', ')}], which needs ${bytes}, but has ${end - first}`)
  }
  return { dtype, shape, byteLength: needed, offset: start + first }
}

/** Refuses bytes that belong to two tensors or to none. `tensors` must come in the order of their bytes. */
function assertCovered(source: ByteSource, tensors: readonly [string, StoredTensor][], start: number): void {
  let end = start
  let before = 'the header'
  // Overlaps are looked for first, since a gap is often only what an overlap leaves behind.
  for (const [name, { offset, byteLength }] of tensors) {
    if (offset < end) {
      throw new CheckpointError(
        'malformed',
        `${source.label}: ${name} and ${before} share ${end - offset} bytes`,
        { tensor: name },
      )
    }
    end = offset + byteLength
    before = name
  }
  end = start
  before = 'the header'
  for (const [name, { offset, byteLength }] of tensors) {
    if (offset > end) refuseGap(source, offset - end, `between ${before} and ${name}`)
    end = offset + byteLength
    before = name
  }
  if (end < source.size) refuseGap(source, source.size - end, `after ${before}`)
}

function refuseGap(source: ByteSource, length: number, where: string): never {
  throw new CheckpointError('malformed', `${source.label}: the ${length} bytes ${where} belong to no tensor`)
}

/** Gives null where the count is beyond what a number holds exactly. */
function byteLengthOrNull(shape: Shape, dtype: DType): number | null {
  let length: number = BYTES_PER_ELEMENT[dtype]
  if (shape.includes(0)) return 0
  for (const size of shape) {
    length *= size
    if (!Number.isSafeInteger(length)) return null
  }
  return length
}

function shown(value: PlainValue | undefined): string {
  return (JSON.stringify(value) ?? 'none').slice(0, 80)
}

function isDType(value: PlainValue | undefined): value is DType {
  return typeof value === 'string' && Object.hasOwn(BYTES_PER_ELEMENT, value)
}

function isShape(value: PlainValue | undefined): value is readonly number[] {
  return (
    Array.isArray(value) &&
    value.length <= MOST_DIMENSIONS &&
    value.every((size) => typeof size === 'number' && Number.isSafeInteger(size) && size >= 0)
  )
}

function isRisingPair(value: PlainValue | undefined): value is readonly [first: number, end: number] {
  if (!isShape(value)) return false
  const [first, end, ...others] = value
  return first !== undefined && end !== undefined && others.length === 0 && first <= end
}

/**
 * Writes a checkpoint as torch.save does: a zip archive of stored entries, each beginning at a multiple of 64 bytes, with a pickle that says what they
 * are. Sizes and places beyond 4 GB are told as zip64 does. One tensor is in memory at a time.
 */
import type { PlainValue } from '../plain-value.js'
import { concatenateBytes } from '../tensor/concatenate.js'
import { pickleOf } from './pickle.js'
import { byteLengthOf, readStored, type StoredTensor } from './stored-tensor.js'

/** Is what a file of PyTorch's holds. */
export interface TorchContent {
  readonly tensors: readonly StoredTensor[]
  /** Names the entry that is the state dict, with plain values beside it; null where the file is the state dict itself. */
  readonly stateKey: string | null
  readonly entries: Readonly<Record<string, PlainValue>>
}

/** Computes CRC-32 as zip has it; every platform has its own. */
export type Crc32 = (bytes: Uint8Array) => number

interface Entry {
  readonly name: string
  readonly size: number
  readonly read: () => Promise<Uint8Array>
}

interface Written extends Entry {
  readonly offset: number
  readonly crc: number
}

const ROOT = 'archive'
const ALIGNMENT = 64
/** From here on a field of four bytes holds this, and the number itself follows as zip64. */
const FULL = 0xffffffff

/** Gives the archive piece by piece. Throws RangeError for a tensor that PyTorch's files cannot hold, or that gives other bytes than it said. */
export async function* torchZip(content: TorchContent, crc32: Crc32): AsyncGenerator<Uint8Array> {
  const written: Written[] = []
  let at = 0
  for (const entry of entriesOf(content)) {
    const bytes = await entry.read()
    const crc = crc32(bytes)
    const head = localHeader(entry, crc, at)
    written.push({ ...entry, offset: at, crc })
    yield head
    yield bytes
    at += head.length + bytes.length
  }
  const directory = concatenateBytes(written.map(directoryRecord))
  yield directory
  yield endOf(written.length, directory.length, at)
}

function entriesOf({ tensors, stateKey, entries }: TorchContent): readonly Entry[] {
  const keyed = tensors.map(({ name, dtype, shape }, index) => ({ name, dtype, shape, key: `${index}` }))
  const small = (name: string, bytes: Uint8Array): Entry => ({
    name: `${ROOT}/${name}`,
    size: bytes.length,
    read: async () => bytes,
  })
  const text = (name: string, value: string) => small(name, new TextEncoder().encode(value))
  return [
    small('data.pkl', pickleOf(entries, { key: stateKey, tensors: keyed })),
    text('.format_version', '1'),
    text('.storage_alignment', `${ALIGNMENT}`),
    text('byteorder', 'little'),
    ...tensors.map((tensor, index) => ({
      name: `${ROOT}/data/${index}`,
      size: byteLengthOf(tensor),
      read: () => readStored(tensor),
    })),
    text('version', '3\n'),
  ]
}

/** The last extra field fills up with Z, so that what follows begins where memory that maps the file wants it. */
function localHeader({ name, size }: Entry, crc: number, offset: number): Uint8Array {
  const isLarge = size >= FULL
  const zip64 = isLarge ? new Fields(20).short(1).short(16).long(size).long(size).bytes : new Uint8Array(0)
  const nameBytes = new TextEncoder().encode(name)
  const plain = offset + 30 + nameBytes.length + zip64.length + 4
  const fill = (ALIGNMENT - (plain % ALIGNMENT)) % ALIGNMENT
  const padding = new Fields(4 + fill).short(0x4246).short(fill).bytes.fill(0x5a, 4)
  const signature = new Fields(4).word(0x04034b50)
  const entry = entryFields({
    isLarge,
    crc,
    size,
    name: nameBytes.length,
    extra: zip64.length + padding.length,
  })
  return concatenateBytes([signature.bytes, entry, nameBytes, zip64, padding])
}

function directoryRecord({ name, size, crc, offset }: Written): Uint8Array {
  const large = [...(size >= FULL ? [size, size] : []), ...(offset >= FULL ? [offset] : [])]
  const zip64 = new Fields(large.length === 0 ? 0 : 4 + 8 * large.length)
  if (large.length > 0) zip64.short(1).short(8 * large.length)
  for (const value of large) zip64.long(value)
  const nameBytes = new TextEncoder().encode(name)
  const isLarge = large.length > 0
  const signature = new Fields(6).word(0x02014b50).short(0)
  const entry = entryFields({ isLarge, crc, size, name: nameBytes.length, extra: zip64.bytes.length })
  const place = new Fields(14).short(0).short(0).short(0).word(0).word(Math.min(offset, FULL))
  return concatenateBytes([signature.bytes, entry, place.bytes, nameBytes, zip64.bytes])
}

interface EntryFacts {
  readonly isLarge: boolean
  readonly crc: number
  readonly size: number
  /** [bytes] */
  readonly name: number
  /** [bytes] */
  readonly extra: number
}

/** Gives what stands in front of an entry and again in the directory: it is stored as it is, its name is UTF-8, and it has no date. */
function entryFields({ isLarge, crc, size, name, extra }: EntryFacts): Uint8Array {
  return new Fields(26)
    .short(isLarge ? 45 : 0)
    .short(0x0800)
    .short(0)
    .word(0)
    .word(crc)
    .word(Math.min(size, FULL))
    .word(Math.min(size, FULL))
    .short(name)
    .short(extra).bytes
}

function endOf(count: number, size: number, offset: number): Uint8Array {
  const isLarge = offset >= FULL || count >= 0xffff
  const end64 = new Fields(isLarge ? 76 : 0)
  if (isLarge) {
    end64.word(0x06064b50).long(44).short(45).short(45).word(0).word(0)
    end64.long(count).long(count).long(size).long(offset)
    end64
      .word(0x07064b50)
      .word(0)
      .long(offset + size)
      .word(1)
  }
  const few = Math.min(count, 0xffff)
  const end = new Fields(22).word(0x06054b50).short(0).short(0).short(few).short(few)
  end.word(Math.min(size, FULL)).word(Math.min(offset, FULL)).short(0)
  return concatenateBytes([end64.bytes, end.bytes])
}

/** Fills fixed fields one after the other, little-endian as all of zip is. */
class Fields {
  readonly bytes: Uint8Array
  readonly #view: DataView
  #at = 0

  constructor(length: number) {
    this.bytes = new Uint8Array(length)
    this.#view = new DataView(this.bytes.buffer)
  }

  short(value: number): this {
    this.#view.setUint16(this.#at, value, true)
    this.#at += 2
    return this
  }

  word(value: number): this {
    this.#view.setUint32(this.#at, value, true)
    this.#at += 4
    return this
  }

  long(value: number): this {
    this.#view.setBigUint64(this.#at, BigInt(value), true)
    this.#at += 8
    return this
  }
}

/**
 * Finds where the members of a tar lie, by its headers alone: what lies between them is not read, so that a shard of gigabytes in an object store costs some reads of
 * a few kilobytes, and a member is later read as a range of the whole.
 */
import { BLOCK, isZero, parsePax, parseTarHeader, type TarHeader, textIn } from './tar-header.js'

/** Is a member, by where its bytes lie. */
export interface TarMember {
  /** Counts the members before it, folders and links included. */
  readonly number: number
  readonly name: string
  /** Says whether its bytes are the file: those of a sparse file have holes left out, and a link has none. */
  readonly kind: 'file' | 'link' | 'sparse' | 'other'
  /** Is its first byte in the tar. */
  readonly offset: number
  /** Counts its bytes. */
  readonly length: number
}

/** Gives bytes of the tar. */
export interface TarBytes {
  /** Counts all of them. */
  readonly size: number
  /** Gives exactly `length` bytes from `offset` on. */
  read(offset: number, length: number): Promise<Uint8Array>
}

/** A header that says more of its member than this is none: names are shorter. */
const MOST_TOLD = 2 ** 20
/** What follows the end is padding, and no longer. */
const MOST_PADDING = 2 ** 20

/**
 * Yields the members in their order.
 *
 * @param readAhead counts the bytes that are read where a header is looked for: the next ones may lie in them already
 * @throws Error for a tar that is cut off or damaged, with the byte where it was seen
 */
export async function* readTar(tar: TarBytes, readAhead = 2 ** 14): AsyncGenerator<TarMember> {
  const blocks = new TarBlocks(tar, readAhead)
  let forAll: ReadonlyMap<string, string> = new Map()
  let told: Told = { pax: forAll, name: null }
  let number = 0
  for (let at = 0; ; ) {
    const block = await blocks.at(at, BLOCK)
    if (isZero(block)) return await checkEnd(blocks, at + BLOCK)
    const header = located(at, () => parseTarHeader(block))
    let offset = at + BLOCK
    if (isTelling(header.type)) {
      const bytes = await blocks.told(offset, header.size)
      if (header.type === 'g') forAll = new Map([...forAll, ...located(at, () => parsePax(bytes))])
      else told = located(at, () => taughtBy(header, bytes, told))
      at = offset + padded(header.size)
      continue
    }
    if (header.isExtended) offset = await blocks.behindMap(offset)
    const member = located(at, () => memberOf(header, { ...told, pax: new Map([...forAll, ...told.pax]) }))
    at = offset + padded(member.length)
    if (at > tar.size && offset + member.length > tar.size)
      throw new Error(
        `it is cut off: ${JSON.stringify(member.name)} ends at byte ${offset + member.length}, and the tar at ${tar.size}`,
      )
    yield { number: number++, offset, ...member }
    told = { pax: new Map(), name: null }
  }
}

/** Is what headers before a member have said of it. */
interface Told {
  readonly pax: ReadonlyMap<string, string>
  /** Is GNU's long name. */
  readonly name: string | null
}

/** Pax and GNU put what has no room in a header into a member of its own before it. */
function isTelling(type: string): boolean {
  return 'xXgLK'.includes(type)
}

function taughtBy({ type }: TarHeader, bytes: Uint8Array, told: Told): Told {
  if (type === 'L') return { ...told, name: textIn(bytes, 0, bytes.length) }
  return type === 'K' ? told : { ...told, pax: parsePax(bytes) }
}

function memberOf({ name, size, type }: TarHeader, told: Told): Pick<TarMember, 'name' | 'kind' | 'length'> {
  const named = told.pax.get('GNU.sparse.name') ?? told.pax.get('path') ?? told.name ?? name
  const isSparse = type === 'S' || [...told.pax.keys()].some((key) => key.startsWith('GNU.sparse.'))
  const isFile = type === '0' || type === '7'
  const isLink = type === '1' || type === '2'
  const kind =
    isFile && named.endsWith('/')
      ? 'other'
      : isSparse
        ? 'sparse'
        : isFile
          ? 'file'
          : isLink
            ? 'link'
            : 'other'
  // Links, devices, folders and pipes have no bytes, whatever their headers say.
  return { name: named, kind, length: /[1-6]/.test(type) ? 0 : sizeOf(told.pax.get('size'), size) }
}

function sizeOf(told: string | undefined, size: number): number {
  if (told === undefined) return size
  const found = /^\d+$/.test(told) ? Number(told) : Number.NaN
  if (Number.isSafeInteger(found)) return found
  throw new Error(`its pax header says that a member has ${JSON.stringify(told.slice(0, 40))} bytes`)
}

/** A tar that has no end may have lost members behind the last; of one behind which another begins, that would be passed over. */
async function checkEnd(blocks: TarBlocks, start: number): Promise<void> {
  for (let at = start; at < Math.min(blocks.size, start + MOST_PADDING); at += 2 ** 14) {
    const bytes = await blocks.at(at, Math.min(2 ** 14, blocks.size - at))
    const other = bytes.findIndex((byte) => byte !== 0)
    if (other >= 0)
      throw new Error(
        `it ends at byte ${start}, and more follows from byte ${at + other} on: of several tars behind each other each is a file of its own`,
      )
  }
}

function located<Result>(at: number, parse: () => Result): Result {
  try {
    return parse()
  } catch (cause) {
    throw new Error(`at byte ${at} ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
}

function padded(length: number): number {
  return Math.ceil(length / BLOCK) * BLOCK
}

/** Gives parts of the tar out of the one that was read last, where they lie in it. */
class TarBlocks {
  readonly #tar: TarBytes
  readonly #readAhead: number
  #bytes: Uint8Array = new Uint8Array()
  #start = 0

  constructor(tar: TarBytes, readAhead: number) {
    this.#tar = tar
    this.#readAhead = readAhead
  }

  get size(): number {
    return this.#tar.size
  }

  async at(offset: number, length: number): Promise<Uint8Array> {
    const { size } = this.#tar
    if (offset + length > size)
      throw new Error(
        `it is cut off: its end, a block of zeros, is missing, and a header was expected at byte ${offset} of ${size}`,
      )
    if (offset < this.#start || offset + length > this.#start + this.#bytes.length) {
      this.#bytes = await this.#tar.read(offset, Math.min(Math.max(length, this.#readAhead), size - offset))
      this.#start = offset
    }
    return this.#bytes.subarray(offset - this.#start, offset - this.#start + length)
  }

  async told(offset: number, length: number): Promise<Uint8Array> {
    if (length <= MOST_TOLD) return await this.at(offset, length)
    throw new Error(
      `at byte ${offset} what is told of the next member has ${length} bytes, more than ${MOST_TOLD}`,
    )
  }

  /** The map of a sparse file goes on in blocks whose byte 504 says whether another follows. */
  async behindMap(start: number): Promise<number> {
    for (let at = start; ; at += BLOCK) if ((await this.at(at, BLOCK))[504] !== 1) return at + BLOCK
  }
}

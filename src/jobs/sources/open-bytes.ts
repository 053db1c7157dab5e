/** Opens a file or an object of a source as bytes that are read in pieces. */
import type { ByteSource } from '../../checkpoint/checkpoint.js'
import { isAddress } from '../../work/input-of-address.js'
import { lookAt } from '../../work/look-at.js'
import type { SourceWorld } from './source.js'
import { SourceError } from './source-error.js'
import { storageAt } from './storage-at.js'

/** Is held open until it is disposed of. */
export interface SourceBytes extends ByteSource, AsyncDisposable {
  /** Is the whole path or address, for whoever reads it elsewhere. */
  readonly address: string
  /** Is the version of the object that is read, where its place has versions. */
  readonly version?: string
}

const CHUNK_BYTES = 2 ** 20
/** So many bytes are decoded together: what is made of them is small enough to be forgotten before the collection of garbage moves it. */
const TEXT_BYTES = 2 ** 16

/** Throws `SourceError` `not-found`, `unreadable`; what storage throws; the signal's reason. */
export async function openBytes(
  address: string,
  { files, storages }: Pick<SourceWorld, 'files' | 'storages'>,
  signal?: AbortSignal,
): Promise<SourceBytes> {
  const place = storageAt(storages, address)
  if (place !== null) return await openObject(address, place, signal)
  if (isAddress(address))
    throw new SourceError(
      'unreadable',
      `${address} is in no place that is known here. ${knownPlaces(storages)}`,
    )
  const found = await lookAt(address, files)
  if (found instanceof Error)
    throw new SourceError('not-found', `${address} cannot be read: ${found.message}.`, { cause: found })
  const file = await files.open(address).catch((cause: Error) => {
    throw new SourceError('unreadable', `${address} cannot be read: ${cause.message}.`, { cause })
  })
  return {
    label: address,
    address: files.resolve(address),
    size: file.size,
    read: async (offset, length) => {
      signal?.throwIfAborted()
      const bytes = new Uint8Array(length)
      for (let filled = 0; filled < length; ) {
        const count = await file.read(bytes.subarray(filled), offset + filled).catch((cause: Error) => {
          throw new SourceError('unreadable', `${address} cannot be read any further: ${cause.message}.`, {
            cause,
          })
        })
        if (count === 0) throw tooShort(address, offset + length)
        filled += count
      }
      return bytes
    },
    [Symbol.asyncDispose]: () => file[Symbol.asyncDispose](),
  }
}

async function openObject(
  address: string,
  { storage, key }: NonNullable<ReturnType<typeof storageAt>>,
  signal: AbortSignal | undefined,
): Promise<SourceBytes> {
  const found = await storage.look(key, { signal })
  if (found === null) throw new SourceError('not-found', `There is no object ${address}.`)
  const { size, version } = found
  return {
    label: address,
    address,
    size,
    version,
    read: async (offset, length) => {
      const part = await storage.read(key, { offset, length, version, signal })
      if (part?.bytes.length === length) return part.bytes
      throw tooShort(address, offset + length)
    },
    async [Symbol.asyncDispose]() {},
  }
}

/** Reads from the beginning to the end; the next chunk is read while one is used. */
async function* chunksOf(source: ByteSource): AsyncGenerator<Uint8Array> {
  const read = (at: number) => {
    if (at >= source.size) return null
    const reading = source.read(at, Math.min(CHUNK_BYTES, source.size - at))
    // Its failure is told in its turn, which may never come.
    reading.catch(() => {})
    return reading
  }
  let next = read(0)
  try {
    for (let at = CHUNK_BYTES; next !== null; at += CHUNK_BYTES) {
      const chunk = await next
      next = read(at)
      yield chunk
    }
  } finally {
    // Whoever leaves early closes the file next.
    await next?.catch(() => {})
  }
}

/** Reads the text of a file, unpacked where its name ends in `.gz`; a mark at the beginning tells UTF-16, as Windows writes it. */
export async function* textsOf(
  source: ByteSource,
  { gunzip }: Pick<SourceWorld, 'gunzip'>,
): AsyncGenerator<string> {
  const bytes = chunksOf(source)
  let decoder: TextDecoder | null = null
  for await (const chunk of isPacked(source.label) ? gunzip(bytes) : bytes) {
    decoder ??= new TextDecoder(encodingOf(chunk))
    for (let at = 0; at < chunk.length; at += TEXT_BYTES)
      yield decoder.decode(chunk.subarray(at, at + TEXT_BYTES), { stream: true })
  }
  if (decoder !== null) yield decoder.decode()
}

function isPacked(name: string): boolean {
  return /\.gz$/i.test(name)
}

function encodingOf([first, second]: Uint8Array): string {
  if (first === 0xff && second === 0xfe) return 'utf-16le'
  return first === 0xfe && second === 0xff ? 'utf-16be' : 'utf-8'
}

export function knownPlaces(storages: SourceWorld['storages']): string {
  return storages.size === 0
    ? 'There are only files.'
    : `There are files, and ${[...storages.keys()].join(', ')}.`
}

function tooShort(address: string, end: number): SourceError {
  return new SourceError(
    'damaged',
    `${address} ends before byte ${end}: it was cut or replaced while it was read.`,
  )
}

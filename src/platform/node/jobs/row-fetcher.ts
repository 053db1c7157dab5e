/**
 * Brings the bytes of a job's rows, wherever they lie: files, ranges of shards, objects, addresses of data and of the web. What goes wrong is the failure of the row, which
 * says whether it may pass.
 */
import { open, stat } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { checkOptionNames, type OptionNames } from '../../../check-option-names.js'
import { ImageError } from '../../../image/image-error.js'
import { checkContact } from '../../../jobs/check-contact.js'
import type { Place, RowFailure } from '../../../jobs/row.js'
import { type StorageAt, storageAt } from '../../../jobs/sources/storage-at.js'
import type { Storage } from '../../../storage/storage.js'
import { StorageError } from '../../../storage/storage-error.js'
import { FETCH_DEFAULTS } from '../fetch-options.js'
import { bytesOfDataUrl } from '../image-source.js'
import type { HostRate } from './host-turns.js'
import { WebFetcher } from './web-fetcher.js'

/** Says where and how rows are fetched. */
export interface RowFetcherOptions {
  /** Are the buckets and servers whose objects are read by their own ways, by the beginning of their addresses: `s3://bucket`. */
  readonly storages?: ReadonlyMap<string, Storage> | undefined
  /** Is an address of mail or of a page, which web servers are told; without one nothing is fetched from them. */
  readonly contact?: string | undefined
  /** Fetches what a server wants no machine to learn from, or to index (X-Robots-Tag); default `false`. */
  readonly ignoresNoai?: boolean | undefined
  /** Says how often one web server is asked; default 10 times a second, 2 at once. */
  readonly hostRate?: HostRate | undefined
  /** Bounds the bytes of an image; default 256 MiB. */
  readonly maxFileBytes?: number | undefined
  /** Bounds the time from a question to the last byte, in milliseconds; default 30,000. */
  readonly fetchTimeoutMs?: number | undefined
  /** Lets addresses lead to this machine and its own network; default `false`. */
  readonly allowPrivateAddresses?: boolean | undefined
}

const OPTIONS = {
  storages: true,
  contact: true,
  ignoresNoai: true,
  hostRate: true,
  maxFileBytes: true,
  fetchTimeoutMs: true,
  allowPrivateAddresses: true,
} satisfies OptionNames<RowFetcherOptions>

const HOST_RATE: HostRate = { perSecond: 10, connections: 2 }
const TIMEOUT_MS = 30_000

export class RowFetcher implements Disposable {
  readonly #storages: ReadonlyMap<string, Storage>
  readonly #maxFileBytes: number
  readonly #web: WebFetcher | null

  /** Throws RangeError for an option that cannot be meant. */
  constructor(options: RowFetcherOptions = {}) {
    checkOptionNames(options, OPTIONS)
    const { contact, hostRate = HOST_RATE, maxFileBytes = FETCH_DEFAULTS.maxFileBytes } = options
    const { fetchTimeoutMs = TIMEOUT_MS, allowPrivateAddresses = false, ignoresNoai = false } = options
    checkRate(hostRate)
    this.#storages = options.storages ?? new Map()
    this.#maxFileBytes = maxFileBytes
    const settings = { hostRate, maxFileBytes, fetchTimeoutMs, allowPrivateAddresses, ignoresNoai }
    this.#web = contact === undefined ? null : new WebFetcher({ contact: checkContact(contact), ...settings })
  }

  /** Gives the bytes as they lie there, or the reason why there are none. Throws the signal's reason alone. */
  async fetch(place: Place, signal: AbortSignal): Promise<Uint8Array | RowFailure> {
    signal.throwIfAborted()
    const { address, length } = place
    if (address === '') return failure('no-address', 'the source has no address in this row')
    if (length !== undefined && length > this.#maxFileBytes) return tooLarge(length, this.#maxFileBytes)
    try {
      return await this.#fetch(place, signal)
    } catch (error) {
      signal.throwIfAborted()
      if (error instanceof StorageError) return failureOfStorage(error)
      if (error instanceof ImageError) return failure('unreadable', error.message)
      return failureOfFile(error as NodeJS.ErrnoException)
    }
  }

  [Symbol.dispose](): void {
    this.#web?.[Symbol.dispose]()
  }

  async #fetch(place: Place, signal: AbortSignal): Promise<Uint8Array | RowFailure> {
    const { address } = place
    const at = storageAt(this.#storages, address)
    if (at !== null) return await this.#readObject(at, place, signal)
    const [, scheme = ''] = /^([a-z][a-z0-9+.-]+):/i.exec(address) ?? []
    switch (scheme.toLowerCase()) {
      case '':
        return await this.#readFile(address, place, signal)
      case 'file':
        return await this.#readFile(fileURLToPath(address), place, signal)
      case 'data':
        return await this.#readData(address)
      case 'http':
      case 'https':
        return await this.#readWeb(place, signal)
      default:
        return failure('unsupported', `${scheme}: is in no place that is known here`)
    }
  }

  async #readObject({ storage, key }: StorageAt, place: Place, signal: AbortSignal) {
    const { offset = 0, length = this.#maxFileBytes + 1, version } = place
    const found = await storage.read(key, {
      offset,
      length,
      signal,
      ...(version === undefined ? {} : { version }),
    })
    if (found === null) return failure('not-found', `there is no object ${place.address}`)
    if (found.bytes.length > this.#maxFileBytes) return tooLarge(found.bytes.length, this.#maxFileBytes)
    if (place.length !== undefined && found.bytes.length < place.length) return cutOff(place.address)
    return found.bytes
  }

  async #readFile(path: string, { address, offset = 0, length }: Place, signal: AbortSignal) {
    // Opening a pipe would wait for its other end.
    if (!(await stat(path)).isFile()) return failure('unreadable', 'it is no file')
    await using file = await open(path)
    const found = await file.stat()
    const wanted = length ?? found.size - offset
    if (wanted > this.#maxFileBytes) return tooLarge(wanted, this.#maxFileBytes)
    const bytes = new Uint8Array(Math.max(0, wanted))
    for (let read = 0; read < bytes.length; ) {
      signal.throwIfAborted()
      const { bytesRead } = await file.read(bytes, read, bytes.length - read, offset + read)
      if (bytesRead === 0) return cutOff(address)
      read += bytesRead
    }
    return bytes
  }

  async #readData(address: string) {
    if (!URL.canParse(address)) return failure('unreadable', 'its data: address cannot be read')
    const bytes = await bytesOfDataUrl(new URL(address))
    return bytes.length > this.#maxFileBytes ? tooLarge(bytes.length, this.#maxFileBytes) : bytes
  }

  async #readWeb({ address, offset, length }: Place, signal: AbortSignal) {
    if (!URL.canParse(address)) return failure('no-address', 'it is no address: a part of it cannot be read')
    if (this.#web === null)
      return failure(
        'no-contact',
        'web servers are asked by those alone who say whom to write to: add --contact',
      )
    if (offset !== undefined || length !== undefined)
      return failure(
        'unsupported',
        'a part of it is wanted, and its server is in no place that is known here',
      )
    return await this.#web.fetch(new URL(address), signal)
  }
}

function checkRate({ perSecond, connections }: HostRate): void {
  if (perSecond > 0 && Number.isInteger(connections) && connections > 0) return
  throw new RangeError(
    `A rate is more than 0 requests a second and at least 1 connection; got ${perSecond} and ${connections}.`,
  )
}

function failure(code: string, reason: string, transient = false): RowFailure {
  return { code, reason, transient }
}

function tooLarge(length: number, most: number): RowFailure {
  return failure(
    'too-large',
    `it has ${length} bytes or more, and up to ${most} are taken (--max-file-bytes)`,
  )
}

function cutOff(address: string): RowFailure {
  return failure('cut-off', `${address} is shorter than it was when the job was planned`)
}

function failureOfStorage({ code, message }: StorageError): RowFailure {
  const codes: Readonly<Record<string, string>> = {
    'too-short': 'cut-off',
    unavailable: 'unavailable',
    changed: 'changed',
  }
  return failure(codes[code] ?? 'unreadable', message, code === 'unavailable' || code === 'too-short')
}

/** What a disk on the network or a machine that has run short says may pass. */
const PASSING = new Set(['EIO', 'ETIMEDOUT', 'ESTALE', 'EMFILE', 'ENFILE', 'EAGAIN', 'EBUSY', 'ENOMEM'])

function failureOfFile({ code = '', message }: NodeJS.ErrnoException): RowFailure {
  if (code === 'ENOENT' || code === 'ENOTDIR') return failure('not-found', 'there is no such file')
  return failure('unreadable', message, PASSING.has(code))
}

/**
 * Keeps objects in a bucket of a server. What an answer leaves unclear is found out: each conditional write carries a name of its own, and where a server says
 * that something is there already, it is looked whether that is what was just written.
 */
import { randomUUID } from 'node:crypto'
import { atOnce } from '../../../../at-once.js'
import { checkOptionNames } from '../../../../check-option-names.js'
import { compareNames } from '../../../../compare-names.js'
import type { Chunks } from '../../../../formats/chunk.js'
import { LIST_OPTIONS, LOOK_OPTIONS, READ_OPTIONS, WRITE_OPTIONS } from '../../../../storage/call-options.js'
import type {
  ListOptions,
  LookOptions,
  ReadOptions,
  Storage,
  StoredObject,
  WriteOptions,
  Written,
} from '../../../../storage/storage.js'
import { checkKey, StorageError } from '../../../../storage/storage-error.js'
import { type Answer, headerOf } from '../ask-once.js'
import { waitAfterLie } from '../passing.js'
import { gatherParts } from './gather-parts.js'
import type { ObjectServer, ObjectWrite } from './object-server.js'

/** What is longer is read in ranges, and a range that fails costs no more. */
const RANGE_BYTES = 2 ** 23
const RANGES_AT_ONCE = 4

export interface ObjectPlace {
  /** Begins all keys; '' or names with `/` between them. */
  readonly prefix: string
  /** What is longer is written in parts. */
  readonly partBytes: number
}

/** Owns its server. */
export class ObjectStorage implements Storage {
  readonly label: string
  readonly isWritable = true
  readonly #server: ObjectServer
  readonly #start: string
  readonly #partBytes: number

  constructor(server: ObjectServer, { prefix, partBytes }: ObjectPlace) {
    this.#server = server
    this.#partBytes = partBytes
    this.#start = prefix === '' ? '' : `${prefix}/`
    this.label = `${server.address}${prefix === '' ? '' : `/${prefix}`}`
  }

  async look(key: string, options: LookOptions = {}): Promise<StoredObject | null> {
    checkOptionNames(options, LOOK_OPTIONS)
    const answer = await this.#head(key, options.signal)
    if (answer === null) return null
    return {
      key,
      size: Number(headerOf(answer, 'content-length')),
      version: this.#server.versionOf(answer),
      modifiedMs: Date.parse(headerOf(answer, 'last-modified') ?? ''),
    }
  }

  async read(key: string, options: ReadOptions = {}): Promise<{ bytes: Uint8Array; version: string } | null> {
    checkOptionNames(options, READ_OPTIONS)
    checkKey(key)
    const { offset = 0, length = Number.POSITIVE_INFINITY, version, signal } = options
    if (length === 0) return await this.#readNothing(key, version, signal)
    const first = await this.#range(key, offset, Math.min(length, RANGE_BYTES), version, signal)
    if (first === null || !('total' in first)) return first
    const end = Math.min(offset + length, first.total)
    const starts: number[] = []
    for (let at = offset + first.bytes.length; at < end; at += RANGE_BYTES) starts.push(at)
    if (starts.length === 0) return { bytes: first.bytes, version: first.version }

    const bytes = new Uint8Array(end - offset)
    bytes.set(first.bytes)
    // All of them are of the version that came first.
    await atOnce(starts, RANGES_AT_ONCE, async (at) => {
      const piece = await this.#range(key, at, Math.min(RANGE_BYTES, end - at), first.version, signal)
      if (piece === null) throw this.#changed(key)
      bytes.set(piece.bytes, at - offset)
    })
    return { bytes, version: first.version }
  }

  async write(
    key: string,
    content: Uint8Array | (() => Chunks),
    options: WriteOptions = {},
  ): Promise<Written> {
    checkOptionNames(options, WRITE_OPTIONS)
    checkKey(key)
    const partBytes = this.#partBytes
    const { signal } = options
    if (content instanceof Uint8Array && content.length <= partBytes)
      return await this.#put(key, content, options)
    const chunks = content instanceof Uint8Array ? () => [content] : content
    // An upload that its server has lost begins anew, and so does one that came in the way of another.
    for (let times = 1; ; times++) {
      const parts = gatherParts(chunks(), partBytes)[Symbol.asyncIterator]()
      const first = await parts.next()
      if (first.done || first.value.isLast)
        return await this.#put(key, first.value?.bytes ?? new Uint8Array(0), options)
      const written = await this.#putParts(key, first.value.bytes, parts, options)
      signal?.throwIfAborted()
      if (written !== 'lost') return written
      if (times === 3)
        throw new StorageError(
          'unavailable',
          `${this.label}/${key} was written in parts ${times} times, and its server lost them each time. Look after the server.`,
        )
    }
  }

  async *list(options: ListOptions = {}): AsyncGenerator<StoredObject> {
    checkOptionNames(options, LIST_OPTIONS)
    const { prefix = '', after, signal } = options
    const found = this.#server.list({
      prefix: this.#start + prefix,
      ...(after === undefined ? {} : { after: this.#start + after }),
      what: `${this.label} cannot be listed`,
      signal,
    })
    let last: string | null = null
    for await (const object of found) {
      const key = object.key.slice(this.#start.length)
      // Some consoles make a folder visible by an empty object.
      const isFolder = object.size === 0 && object.key.endsWith('/')
      if (isFolder || (after !== undefined && compareNames(key, after) <= 0)) continue
      // Whoever reads a listing counts on its order.
      if (last !== null && compareNames(key, last) <= 0) throw this.#outOfOrder(key, last)
      last = key
      yield { ...object, key }
    }
  }

  async remove(key: string, options: LookOptions = {}): Promise<void> {
    checkOptionNames(options, LOOK_OPTIONS)
    checkKey(key)
    const answer = await this.#server.ask({
      method: 'DELETE',
      key: this.#start + key,
      signal: options.signal,
    })
    if (answer.status >= 300 && !this.#server.isNoObject(answer))
      throw this.#server.refusal(answer, `${this.label}/${key} cannot be removed`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]()
  }

  /** Gives null where there is none. A server has no words in such an answer, so that a bucket that is not there is no object either. */
  async #head(key: string, signal: AbortSignal | undefined): Promise<Answer | null> {
    checkKey(key)
    for (let times = 1; ; times++) {
      const answer = await this.#server.ask({ method: 'HEAD', key: this.#start + key, signal })
      if (answer.status === 404) return null
      if (answer.status >= 300) throw this.#server.refusal(answer, `${this.label}/${key} cannot be looked at`)
      // What has no version is no object: it is what something between says in its place.
      if (this.#server.versionOf(answer) !== '') return answer
      if (times === TRIES_OF_LIES) throw this.#unbelieved(key, times)
      await waitAfterLie(times, signal)
    }
  }

  async #readNothing(key: string, version: string | undefined, signal: AbortSignal | undefined) {
    const found = await this.look(key, { signal })
    if (found === null) return null
    if (version !== undefined && version !== found.version) throw this.#changed(key)
    return { bytes: new Uint8Array(0), version: found.version }
  }

  /** Always asks for a range, since an answer to that says how long the whole is. Gives no `total` where nothing lies at `offset`. */
  async #range(
    key: string,
    offset: number,
    length: number,
    version: string | undefined,
    signal: AbortSignal | undefined,
  ): Promise<
    { bytes: Uint8Array; version: string; total: number } | { bytes: Uint8Array; version: string } | null
  > {
    const only = this.#server.onlyVersion(version)
    for (let times = 1; ; times++) {
      const answer = await this.#server.ask({
        method: 'GET',
        key: this.#start + key,
        headers: { range: `bytes=${offset}-${offset + length - 1}`, ...only.headers },
        ...(only.query === undefined ? {} : { query: only.query }),
        mostBytes: Math.max(length, 2 ** 20),
        signal,
      })
      if (answer.status === 404 && !this.#server.isNoBucket(answer)) {
        if (version !== undefined) throw this.#changed(key)
        return null
      }
      if (answer.status === 412) throw this.#changed(key)
      if (answer.status === 416) return await this.#readNothing(key, version, signal)
      if (answer.status >= 300) throw this.#server.refusal(answer, `${this.label}/${key} cannot be read`)
      const piece = await this.#judged(answer, key, offset, length, version, signal)
      if (piece !== null) return piece
      if (times === TRIES_OF_LIES) throw this.#unbelieved(key, times)
      await waitAfterLie(times, signal)
    }
  }

  /** Gives null where the answer cannot be believed. */
  async #judged(
    answer: Answer,
    key: string,
    offset: number,
    length: number,
    version: string | undefined,
    signal: AbortSignal | undefined,
  ): Promise<{ bytes: Uint8Array; version: string; total: number } | null> {
    const found = this.#server.versionOf(answer)
    if (found === '') return null
    if (version !== undefined && found !== version) {
      const now = await this.look(key, { signal })
      if (now?.version !== version) throw this.#changed(key)
      return null
    }
    const [, start, end, total] =
      /^bytes (\d+)-(\d+)\/(\d+)$/.exec(headerOf(answer, 'content-range') ?? '') ?? []
    if (answer.status === 206 && total !== undefined) {
      const expected = Math.min(length, Number(total) - offset)
      const isWhole =
        Number(start) === offset && answer.body.length === expected && Number(end) === offset + expected - 1
      return isWhole ? { bytes: answer.body, version: found, total: Number(total) } : null
    }
    // A server that knows no ranges sends all there is; one that lies sends less.
    const now = await this.look(key, { signal })
    if (now?.size !== answer.body.length || now.version !== found) return null
    return { bytes: answer.body.slice(offset, offset + length), version: found, total: now.size }
  }

  async #put(key: string, body: Uint8Array, options: WriteOptions): Promise<Written> {
    const write = this.#writeOf(key, options)
    return await this.#outcome(await this.#server.put(write, body), key, write)
  }

  async #putParts(
    key: string,
    first: Uint8Array,
    rest: AsyncIterator<{ readonly bytes: Uint8Array }>,
    options: WriteOptions,
  ): Promise<Written | 'lost'> {
    const write = this.#writeOf(key, options)
    const answer = await this.#server.putParts(write, first, rest)
    if (answer.status < 300 || this.#server.notWritten(answer) !== 'lost')
      return await this.#outcome(answer, key, write)
    // After a conflict all parts have to be sent anew. An upload may be gone since putting the parts together took effect, and the answer did not come.
    const written = await this.#ownWrite(key, write)
    return written.written ? written : 'lost'
  }

  #writeOf(key: string, { ifAbsent, ifVersion, signal }: WriteOptions): ObjectWrite {
    return {
      key: this.#start + key,
      writer: randomUUID(),
      condition: {
        ...(ifAbsent === undefined ? {} : { ifAbsent }),
        ...(ifVersion === undefined ? {} : { ifVersion }),
      },
      what: `${this.label}/${key} cannot be written`,
      signal,
    }
  }

  async #outcome(answer: Answer, key: string, write: ObjectWrite): Promise<Written> {
    if (answer.status < 300) {
      const version = this.#server.writtenVersion(answer)
      return version === null ? await this.#ownWrite(key, write) : { written: true, version }
    }
    const { ifAbsent = false, ifVersion } = write.condition
    const isConditional = ifAbsent || ifVersion !== undefined
    const why = this.#server.notWritten(answer)
    if (isConditional && why === 'unmet') return await this.#ownWrite(key, write)
    const refusal = this.#server.refusal(answer, write.what)
    if (!isConditional || why !== 'impossible') throw refusal
    throw new StorageError(
      'refused',
      `${refusal.message} It was asked to write only where ${ifAbsent ? 'nothing' : 'a certain version'} is, which some servers cannot: what several writers share needs one that can.`,
    )
  }

  /** Looks whether what is there is what was just written under that name. */
  async #ownWrite(key: string, { writer, signal }: ObjectWrite): Promise<Written> {
    const answer = await this.#head(key, signal)
    if (answer === null || !this.#server.isOf(answer, writer)) return { written: false }
    return { written: true, version: this.#server.versionOf(answer) }
  }

  #unbelieved(key: string, times: number): StorageError {
    return new StorageError(
      'too-short',
      `${this.label}/${key} came ${times} times with other bytes than were announced. Look after the server and what lies between.`,
    )
  }

  #outOfOrder(key: string, last: string): StorageError {
    return new StorageError(
      'refused',
      `${this.label} lists ${key} behind ${last}, and not in the order of their names, as accounts with a hierarchical namespace and directory buckets do. Give a list of addresses instead, or a place without one.`,
    )
  }

  #changed(key: string): StorageError {
    return new StorageError('changed', `${this.label}/${key} has changed while it was read. Read it again.`)
  }
}

const TRIES_OF_LIES = 8

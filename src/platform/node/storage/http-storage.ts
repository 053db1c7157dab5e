/** Reads what a web server has under an address, in ranges. It is not written to, and what there is cannot be listed. */
import type { Dispatcher } from 'undici'
import { checkOptionNames } from '../../../check-option-names.js'
import { LOOK_OPTIONS, READ_OPTIONS } from '../../../storage/call-options.js'
import type { LookOptions, ReadOptions, Storage, StoredObject, Written } from '../../../storage/storage.js'
import { checkKey, StorageError } from '../../../storage/storage-error.js'
import { type Answer, askOnce, headerOf, type Question, retryAfterOf } from './ask-once.js'
import { keepTrying, Passing } from './passing.js'

const REDIRECTS = new Set([301, 302, 303, 307, 308])
const PASSING_STATUS = new Set([408, 429, 500, 502, 503, 504])
const MOST_REDIRECTS = 5
/** One object is read into memory, and no more of it than this. */
const MOST_BYTES = 2 ** 32

export interface HttpStorageOptions {
  /** Its path is the folder of all keys; its query, which may hold a signature, goes with each. */
  readonly base: URL
  readonly agent: Dispatcher
  readonly patienceMs: number
  readonly stallMs: number
}

export class HttpStorage implements Storage {
  readonly label: string
  readonly isWritable = false
  readonly #options: HttpStorageOptions

  constructor(options: HttpStorageOptions) {
    this.#options = options
    const { protocol, host, pathname } = options.base
    this.label = `${protocol}//${host}${pathname.replace(/\/$/, '')}`
  }

  async look(key: string, options: LookOptions = {}): Promise<StoredObject | null> {
    checkOptionNames(options, LOOK_OPTIONS)
    const answer = await this.#ask('HEAD', key, {}, options.signal)
    if (isAbsent(answer)) return null
    if (answer.status !== 200) throw this.#refusal(answer, key)
    const size = headerOf(answer, 'content-length')
    if (size === null)
      throw new StorageError(
        'refused',
        `${this.label}/${key} cannot be looked at: its server does not say how long it is. Fetch it whole.`,
      )
    return {
      key,
      size: Number(size),
      version: this.#versionOf(answer, key),
      modifiedMs: Date.parse(headerOf(answer, 'last-modified') ?? ''),
    }
  }

  async read(key: string, options: ReadOptions = {}): Promise<{ bytes: Uint8Array; version: string } | null> {
    checkOptionNames(options, READ_OPTIONS)
    const { offset = 0, length, version, signal } = options
    if (length === 0) {
      const found = await this.look(key, { signal })
      return found === null ? null : { bytes: new Uint8Array(0), version: found.version }
    }
    const end = length === undefined ? '' : offset + length - 1
    const isWhole = offset === 0 && length === undefined
    const answer = await this.#ask('GET', key, isWhole ? {} : { range: `bytes=${offset}-${end}` }, signal)
    if (isAbsent(answer)) return null
    if (answer.status === 416) return await this.read(key, { ...options, length: 0 })
    if (answer.status !== 200 && answer.status !== 206) throw this.#refusal(answer, key)
    const found = this.#versionOf(answer, key)
    if (version !== undefined && version !== found)
      throw new StorageError('changed', `${this.label}/${key} has changed while it was read. Read it again.`)
    if (answer.status === 200)
      return {
        bytes: answer.body.slice(offset, length === undefined ? undefined : offset + length),
        version: found,
      }
    const [, start, , total] =
      /^bytes (\d+)-(\d+)\/(\d+)$/.exec(headerOf(answer, 'content-range') ?? '') ?? []
    const expected = Math.min(length ?? Number.POSITIVE_INFINITY, Number(total) - offset)
    if (Number(start) === offset && answer.body.length === expected)
      return { bytes: answer.body, version: found }
    throw new StorageError(
      'too-short',
      `${this.label}/${key} came with ${answer.body.length} bytes where ${expected} were asked for. Look after the server.`,
    )
  }

  async write(key: string): Promise<Written> {
    throw this.#readOnly(`${this.label}/${key} cannot be written`)
  }

  // biome-ignore lint/correctness/useYield: it is an iterator that has nothing to give.
  async *list(): AsyncGenerator<StoredObject> {
    throw new StorageError(
      'refused',
      `${this.label} cannot be listed: a web server does not tell what it has. Give a list of addresses.`,
    )
  }

  async remove(key: string): Promise<void> {
    throw this.#readOnly(`${this.label}/${key} cannot be removed`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#options.agent.destroy()
  }

  #readOnly(what: string): StorageError {
    return new StorageError(
      'not-writable',
      `${what}: a web server's files can only be read. Name a folder, or a bucket as s3://bucket/prefix.`,
    )
  }

  async #ask(
    method: 'GET' | 'HEAD',
    key: string,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal | undefined,
  ): Promise<Answer> {
    checkKey(key)
    const { base, agent, patienceMs, stallMs } = this.#options
    const url = new URL(base)
    url.pathname = [url.pathname.replace(/\/$/, ''), ...key.split('/').map(encodeURIComponent)].join('/')
    const label = `${this.label}/${key}`
    return await keepTrying(
      async () => {
        const answer = await follow(agent, {
          method,
          url,
          headers,
          label,
          stallMs,
          mostBytes: MOST_BYTES,
          signal,
        })
        if (!PASSING_STATUS.has(answer.status)) return answer
        throw new Passing(`${label} is answered with ${answer.status}`, retryAfterOf(answer))
      },
      { patienceMs, signal },
    )
  }

  /** Throws where a server says nothing that would tell two versions apart. */
  #versionOf(answer: Answer, key: string): string {
    const version = headerOf(answer, 'etag') ?? headerOf(answer, 'last-modified')
    if (version !== null) return version
    throw new StorageError(
      'refused',
      `${this.label}/${key} has neither ETag nor Last-Modified, so that a change of it would go unseen. Copy it to a folder or a bucket.`,
    )
  }

  #refusal({ status }: Answer, key: string): StorageError {
    return new StorageError(
      'refused',
      `${this.label}/${key} cannot be read: the server answers ${status}. Look at the address, and at what may be read there.`,
    )
  }
}

/** From https to http nothing is followed: anyone on the way could swap the file. */
async function follow(agent: Dispatcher, question: Question): Promise<Answer> {
  let { url } = question
  for (let hops = 0; hops <= MOST_REDIRECTS; hops++) {
    const answer = await askOnce(agent, { ...question, url })
    if (!REDIRECTS.has(answer.status)) return answer
    const location = headerOf(answer, 'location')
    const to = location !== null && URL.canParse(location, url.href) ? new URL(location, url) : null
    if (to === null || (to.protocol !== 'https:' && to.protocol !== url.protocol))
      throw new StorageError(
        'refused',
        `${question.label} redirects to ${to === null ? 'nowhere' : `${to.protocol}//${to.host}`}, expected ${url.protocol} all the way.`,
      )
    url = to
  }
  throw new StorageError(
    'refused',
    `${question.label} was redirected more than ${MOST_REDIRECTS} times, lastly to ${url.host}.`,
  )
}

function isAbsent({ status }: Answer): boolean {
  return status === 404 || status === 410
}

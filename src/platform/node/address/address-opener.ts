/** Asks buckets and web servers for the bytes of one address, as downloads ask; a server that cannot say whether a file has changed is told of. */
import type { Answer, Opener, Question } from '../../../hub/answer.js'
import { HubError, PassingTrouble } from '../../../hub/hub-error.js'
import type { Storage } from '../../../storage/storage.js'
import { StorageError } from '../../../storage/storage-error.js'
import { UndiciOpener } from '../hub/undici-opener.js'
import { openBucketOf } from '../storage/object-address.js'

/** An object is read in pieces of so many bytes: each is tried again by itself. */
const PIECE = 2 ** 24

/** Reads an object as a web server would give it. */
export class ObjectOpener implements Opener {
  readonly sendsIfRange = true
  readonly hidesHeaders = false
  readonly decodes = false
  readonly #address: string

  constructor(address: string) {
    this.#address = address
  }

  async open(url: URL, { method, headers, signal }: Question): Promise<Answer> {
    try {
      const { storage, key } = await openBucketOf(this.#address)
      const found = await storage.look(key, { signal })
      if (found === null) return answerOf(url, 404, {}, nothing())
      const { size, version } = found
      const [, from] = /^bytes=(\d+)-$/.exec(headers.range ?? '') ?? []
      const isSame = headers['if-range'] === undefined || headers['if-range'] === version
      const start = from !== undefined && isSame ? Number(from) : 0
      const told = { etag: version, 'last-modified': new Date(found.modifiedMs).toUTCString() }
      if (start > 0 && start >= size)
        return answerOf(url, 416, { ...told, 'content-range': `bytes */${size}` }, nothing())
      const lengths = {
        'content-length': String(size - start),
        ...(start > 0 ? { 'content-range': `bytes ${start}-${size - 1}/${size}` } : {}),
      }
      const body = method === 'HEAD' ? nothing() : piecesOf(storage, key, { start, size, version, signal })
      return answerOf(url, start > 0 ? 206 : 200, { ...told, ...lengths }, body)
    } catch (error) {
      signal.throwIfAborted()
      throw asHubError(error)
    }
  }
}

/** What the storage has tried for two minutes is not tried again. */
function asHubError(error: unknown): unknown {
  if (!(error instanceof StorageError)) return error
  const code =
    error.code === 'refused' ? 'forbidden' : error.code === 'unavailable' ? 'no-network' : 'server-error'
  return new HubError(code, error.message, { cause: error })
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

async function* piecesOf(
  storage: Storage,
  key: string,
  {
    start,
    size,
    version,
    signal,
  }: {
    readonly start: number
    readonly size: number
    readonly version: string
    readonly signal: AbortSignal
  },
): AsyncGenerator<Uint8Array> {
  for (let offset = start; offset < size; offset += PIECE) {
    const length = Math.min(PIECE, size - offset)
    const read = await storage.read(key, { offset, length, version, signal })
    if (read === null)
      throw new StorageError('changed', `${storage.label}/${key} was removed while it was read.`)
    yield read.bytes
  }
}

function answerOf(
  url: URL,
  status: number,
  headers: Readonly<Record<string, string>>,
  body: AsyncIterable<Uint8Array>,
): Answer {
  return { status, url, header: (name) => headers[name] ?? null, body, cancel: async () => {} }
}

/** Asks a web server, also one that answers no HEAD, as those do that are asked by signed addresses. */
export class WebOpener extends UndiciOpener {
  override async open(url: URL, question: Question): Promise<Answer> {
    const answer = await super.open(url, question)
    if (question.method !== 'HEAD' || ![401, 403, 405, 501].includes(answer.status)) return answer
    await answer.cancel()
    const first = await super.open(url, {
      ...question,
      method: 'GET',
      headers: { ...question.headers, range: 'bytes=0-0' },
    })
    if (first.status !== 206) return first
    const total = /\/(\d+)$/.exec(first.header('content-range') ?? '')?.[1] ?? null
    return {
      ...first,
      status: 200,
      header: (name) => (name === 'content-length' ? total : first.header(name)),
    }
  }
}

/** Tells of a server that could not say whether what is kept has changed. */
export class TellingOpener implements Opener {
  readonly sendsIfRange = true
  readonly hidesHeaders = false
  readonly decodes = false
  readonly #inner: Opener
  readonly #tell: (why: string) => void

  constructor(inner: Opener, tell: (why: string) => void) {
    this.#inner = inner
    this.#tell = tell
  }

  async open(url: URL, question: Question): Promise<Answer> {
    if (question.method !== 'HEAD') return await this.#inner.open(url, question)
    try {
      const answer = await this.#inner.open(url, question)
      if (answer.status !== 200) this.#tell(`the answer is ${answer.status}`)
      return answer
    } catch (error) {
      const known = error instanceof PassingTrouble ? error.error : error
      this.#tell(known instanceof HubError ? known.message.replace(/\.$/, '') : 'there was no answer in time')
      throw error
    }
  }
}

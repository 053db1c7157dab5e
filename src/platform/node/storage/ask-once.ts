/**
 * Asks a server once, and reads its whole answer into memory. A connection that breaks, a body that is shorter than was said, and one that comes so slowly
 * that it may never end are `Passing`: another try may fare better.
 */
import type { IncomingHttpHeaders } from 'node:http'
import { Readable } from 'node:stream'
import { type Dispatcher, EnvHttpProxyAgent, request } from 'undici'
import { StorageError } from '../../../storage/storage-error.js'
import { type Environment, proxySettings } from '../hub/hub-settings.js'
import { packageVersion } from '../package-files.js'
import { Passing } from './passing.js'

export interface Question {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE'
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Uint8Array | undefined
  /** Names what is asked for, in messages. */
  readonly label: string
  /** In each of these spans, in milliseconds, at least `LEAST_PROGRESS` bytes must go or come, or the end of them. */
  readonly stallMs: number
  /** Bounds the bytes of an answer. */
  readonly mostBytes: number
  readonly signal?: AbortSignal | undefined
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Uint8Array
}

/** A drip of fewer bytes in a span is no progress. */
const LEAST_PROGRESS = 2 ** 14
const SLICE = 2 ** 16

/** Goes through the proxies that the environment names. Time is bounded here and not there. */
export function storageAgent(env: Environment): Dispatcher {
  return new EnvHttpProxyAgent({
    ...proxySettings(env),
    headersTimeout: 0,
    bodyTimeout: 0,
    proxyTunnel: false,
    connect: { timeout: 10_000 },
  })
}

/** Throws `Passing`, `StorageError` `too-short` where more comes than may, and the signal's reason. */
export async function askOnce(dispatcher: Dispatcher, question: Question): Promise<Answer> {
  const { method, url, label, stallMs, signal } = question
  const progress = new Progress(stallMs, signal)
  try {
    const { statusCode, headers, body } = await request(url, {
      method,
      dispatcher,
      headers: headersOf(question),
      body: question.body === undefined ? null : Readable.from(sliced(question.body, progress)),
      signal: progress.signal,
    })
    try {
      return { status: statusCode, headers, body: await readBody(body, headers, question, progress) }
    } finally {
      body.on('error', () => {}).destroy()
    }
  } catch (cause) {
    signal?.throwIfAborted()
    if (cause instanceof StorageError || cause instanceof Passing) throw cause
    const why = progress.signal.aborted
      ? `${url.host} sent or took less than ${LEAST_PROGRESS} bytes in ${stallMs} ms`
      : reasonOf(cause)
    throw new Passing(`${label} cannot be reached at ${url.host}: ${why}`, { cause })
  } finally {
    progress.end()
  }
}

function headersOf({ headers, body }: Question): Record<string, string> {
  const ours = { 'user-agent': `plumage/${packageVersion()}`, 'accept-encoding': 'identity' }
  const length = body === undefined ? {} : { 'content-length': String(body.length) }
  return { ...ours, ...headers, ...length }
}

/** A body goes in slices, so that it is seen how far it has come. */
async function* sliced(body: Uint8Array, progress: Progress): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < body.length; at += SLICE) {
    const slice = body.subarray(at, at + SLICE)
    yield slice
    progress.note(slice.length)
  }
}

async function readBody(
  body: AsyncIterable<Uint8Array>,
  headers: IncomingHttpHeaders,
  { method, label, mostBytes }: Question,
  progress: Progress,
): Promise<Uint8Array> {
  if (method === 'HEAD') return new Uint8Array(0)
  const said = headers['content-length']
  const pieces: Uint8Array[] = []
  let size = 0
  for await (const piece of body) {
    size += piece.length
    if (size > mostBytes)
      throw new StorageError(
        'refused',
        `${label} is answered with more than ${mostBytes} bytes, where fewer were asked for. Is this the server that was meant?`,
      )
    pieces.push(piece)
    progress.note(piece.length)
  }
  if (said !== undefined && size !== Number(said))
    throw new Passing(`${label} came with ${size} bytes, where its server had announced ${said}`)
  const [only] = pieces
  return pieces.length === 1 && only !== undefined
    ? new Uint8Array(only)
    : new Uint8Array(Buffer.concat(pieces, size))
}

/** Ends a request whose bytes have stopped coming, or drip. */
class Progress {
  readonly #stalled = new AbortController()
  readonly #stallMs: number
  readonly signal: AbortSignal
  #timer: NodeJS.Timeout
  #since = 0

  constructor(stallMs: number, signal: AbortSignal | undefined) {
    this.#stallMs = stallMs
    this.signal =
      signal === undefined ? this.#stalled.signal : AbortSignal.any([signal, this.#stalled.signal])
    this.#timer = this.#start()
  }

  note(bytes: number): void {
    this.#since += bytes
    if (this.#since < LEAST_PROGRESS) return
    this.#since = 0
    clearTimeout(this.#timer)
    this.#timer = this.#start()
  }

  end(): void {
    clearTimeout(this.#timer)
  }

  #start(): NodeJS.Timeout {
    return setTimeout(() => this.#stalled.abort(new Error('stalled')), this.#stallMs)
  }
}

function reasonOf(cause: unknown): string {
  // A host with several addresses fails with one error for each and no message of its own.
  const first = cause instanceof AggregateError && cause.errors[0] instanceof Error ? cause.errors[0] : cause
  return first instanceof Error ? first.message || first.name : String(first)
}

/** Gives one value of a header, or null. */
export function headerOf({ headers }: Answer, name: string): string | null {
  const value = headers[name]
  return (typeof value === 'string' ? value : value?.[0]) ?? null
}

/** Reads how long a server asks to be left alone, in seconds or as a date. */
export function retryAfterOf(answer: Answer): { readonly waitMs?: number } {
  const said = headerOf(answer, 'retry-after')
  if (said === null) return {}
  const waitMs = /^\d+$/.test(said) ? Number(said) * 1000 : Date.parse(said) - Date.now()
  return waitMs > 0 ? { waitMs } : {}
}

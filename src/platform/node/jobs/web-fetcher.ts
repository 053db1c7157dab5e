/** Fetches images from web servers as a guest should: by name and contact, within robots.txt, X-Robots-Tag and a rate for each server, and waiting where one asks for it. */
import { ImageError } from '../../../image/image-error.js'
import type { RowFailure } from '../../../jobs/row.js'
import { labelOf } from '../fetch-options.js'
import { packageVersion } from '../package-files.js'
import { readStream } from '../read-stream.js'
import {
  ask,
  dropAnswer,
  follow,
  nextHopOrNull,
  readAnswer,
  type Visited,
  type WebAnswer,
} from '../web-request.js'
import { type HostRate, HostTurns } from './host-turns.js'
import { MOST_ROBOTS_BYTES, ROBOT, type RobotsAnswer, RobotsRules } from './robots-rules.js'
import { refusingWordOrNull } from './robots-tag.js'
import { TimeOver, timedSignal } from './timed-signal.js'

/** Says how web servers are asked. */
export interface WebFetchSettings {
  /** Is an address of mail or of a page, which servers are told. */
  readonly contact: string
  readonly hostRate: HostRate
  /** Fetches what a server wants no machine to learn from, or to index. */
  readonly ignoresNoai: boolean
  /** Bounds the bytes of an image. */
  readonly maxFileBytes: number
  /** Bounds the time from a question to the last byte, in milliseconds; waiting for a server's turn does not count. */
  readonly fetchTimeoutMs: number
  readonly allowPrivateAddresses: boolean
}

/** So often something is asked in all, where a failure may pass. */
const TRIES = 3
const FIRST_WAIT_MS = 500
/** Where a server wants a longer wait, the row fails, and may be tried in another run. */
const LONGEST_WAIT_MS = 30_000
const LONGEST_DOWN_MS = 3_600_000
/** May pass by themselves, beside those of servers that are in trouble. */
const PASSING = [408, 425, 429]

/** Is a failure, of which server, and when that wants to be asked again. */
interface Failed {
  readonly failure: RowFailure
  readonly host: string
  readonly waitMs?: number
  /** Says that asking again at once would give the same. */
  readonly isKnown?: true
}

export class WebFetcher implements Disposable {
  readonly #settings: WebFetchSettings
  readonly #turns: HostTurns
  readonly #robots: RobotsRules
  readonly #headers: Readonly<Record<string, string>>

  constructor(settings: WebFetchSettings) {
    this.#settings = settings
    this.#turns = new HostTurns(settings.hostRate)
    this.#robots = new RobotsRules((url, signal) => this.#askRobots(url, signal))
    const { contact } = settings
    const shown = contact.includes('@') && !contact.includes(':') ? `mailto:${contact}` : contact
    this.#headers = { 'user-agent': `${ROBOT}/${packageVersion()} (+${shown})` }
  }

  /** Throws the signal's reason alone. */
  async fetch(url: URL, signal: AbortSignal): Promise<Uint8Array | RowFailure> {
    for (let tries = 1; ; tries++) {
      const found = await this.#guarded(url, signal, () =>
        follow(url, { ...this.#settings, signal }, (at) => this.#visit(at, signal)),
      )
      if (found instanceof Uint8Array) return found
      const { failure, host, waitMs = FIRST_WAIT_MS * 2 ** tries * Math.random(), isKnown } = found
      // A server that took all of the time would take as much again.
      if (!failure.transient || failure.code === 'timeout' || isKnown) return failure
      if (waitMs > LONGEST_WAIT_MS) this.#turns.takeDown(host, Math.min(waitMs, LONGEST_DOWN_MS))
      if (tries === TRIES || this.#turns.downMs(host) > 0) return failure
      this.#turns.holdOff(host, waitMs)
    }
  }

  [Symbol.dispose](): void {
    this.#turns[Symbol.dispose]()
  }

  async #visit(url: URL, signal: AbortSignal): Promise<Visited<Uint8Array | Failed>> {
    const { failure, delayMs } = await this.#robots.judge(url, signal)
    if (failure !== null) return { result: { failure, host: url.host, isKnown: true } }
    if (delayMs > 0) this.#turns.slowDown(url.host, delayMs)
    return await this.#ask(url, signal, (answer, timed) => this.#imageOf(answer, url, timed))
  }

  /** Asks when it is this address's turn, within its time. */
  async #ask<Result>(
    url: URL,
    signal: AbortSignal,
    read: (answer: WebAnswer, timed: AbortSignal) => Promise<Result>,
  ): Promise<Visited<Result | Failed>> {
    const { host } = url
    const down = () => this.#turns.downMs(host)
    if (down() > 0) return { result: isDown(host, down()) }
    using _turn = await this.#turns.take(host, signal)
    if (down() > 0) return { result: isDown(host, down()) }
    using timed = timedSignal(signal, this.#settings.fetchTimeoutMs)
    try {
      const limits = { ...this.#settings, signal: timed.signal }
      const answer = await ask(url, limits, this.#headers)
      const isWell = answer.statusCode < 500 && answer.statusCode !== 429
      const to = nextHopOrNull(url, answer)
      const found = to === null ? { result: await read(answer, timed.signal) } : { to }
      this.#turns.note(host, isWell)
      return found
    } catch (error) {
      signal.throwIfAborted()
      const isOurs = error instanceof ImageError && (error.code === 'refused' || error.code === 'too-large')
      this.#turns.note(host, isOurs)
      throw timed.signal.aborted ? timed.signal.reason : error
    }
  }

  async #imageOf(answer: WebAnswer, url: URL, signal: AbortSignal): Promise<Uint8Array | Failed> {
    const { statusCode, headers } = answer
    if (statusCode !== 200) {
      dropAnswer(answer)
      return failedBy(answer, url)
    }
    const word = this.#settings.ignoresNoai ? null : refusingWordOrNull(headers['x-robots-tag'], ROBOT)
    if (word === null) return await readAnswer(answer, url, { ...this.#settings, signal })
    dropAnswer(answer)
    const reason = `the server says ${word} (X-Robots-Tag); --ignore-noai fetches it all the same`
    return { failure: { code: 'refused-noai', reason, transient: false }, host: url.host }
  }

  async #askRobots(url: URL, signal: AbortSignal): Promise<RobotsAnswer> {
    const found = await this.#guarded(url, signal, () =>
      follow<RobotsAnswer | Failed>(url, { ...this.#settings, signal }, (at) =>
        this.#ask(at, signal, (answer, timed) => robotsOf(answer, at, timed)),
      ),
    )
    return 'failure' in found ? { failure: found.failure } : found
  }

  async #guarded<Result>(
    url: URL,
    signal: AbortSignal,
    work: () => Promise<Result>,
  ): Promise<Result | Failed> {
    try {
      return await work()
    } catch (error) {
      signal.throwIfAborted()
      return { failure: failureOf(error, url), host: url.host }
    }
  }
}

/** What a server has not got forbids nothing; of one that is in trouble it is not known what it forbids. */
async function robotsOf(answer: WebAnswer, url: URL, signal: AbortSignal): Promise<RobotsAnswer> {
  const { statusCode, headers } = answer
  const isText = statusCode === 200 && (headers['content-encoding'] ?? 'identity') === 'identity'
  try {
    if (isText) return { text: await robotsText(answer, url, signal) }
  } finally {
    dropAnswer(answer)
  }
  if (statusCode >= 400 && statusCode < 500 && statusCode !== 429) return { text: null }
  const reason = `${url.origin} does not say what may be fetched, and so nothing is: its robots.txt answers ${statusCode}`
  return { failure: { code: 'refused-robots', reason, transient: true } }
}

async function robotsText({ body }: WebAnswer, url: URL, signal: AbortSignal): Promise<string> {
  const cutOff = async function* () {
    let left = MOST_ROBOTS_BYTES
    for await (const chunk of body as AsyncIterable<Uint8Array>) {
      yield chunk.subarray(0, left)
      left -= chunk.length
      if (left <= 0) return
    }
  }
  const bytes = await readStream(cutOff(), labelOf(url), { maxFileBytes: MOST_ROBOTS_BYTES, signal })
  return new TextDecoder().decode(bytes)
}

function failedBy({ statusCode, headers }: WebAnswer, { host }: URL): Failed {
  const failed = (code: string, transient: boolean, expected = '') => ({
    failure: { code, reason: `${host} answers ${statusCode}${expected}`, transient },
    host,
    ...waitOf(headers['retry-after']),
  })
  if (statusCode === 404 || statusCode === 410) return failed('not-found', false)
  // What is not implemented stays so.
  if (statusCode >= 500) return failed('http-5xx', statusCode !== 501 && statusCode !== 505)
  return statusCode >= 400
    ? failed('http-4xx', PASSING.includes(statusCode))
    : failed('bad-answer', false, ', expected 200')
}

/** Is a number of seconds, or a date. */
function waitOf(header: string | readonly string[] | undefined): { readonly waitMs?: number } {
  const text = typeof header === 'string' ? header : header?.[0]
  if (text === undefined) return {}
  const waitMs = /^\d+$/.test(text.trim()) ? Number(text) * 1000 : Date.parse(text) - Date.now()
  return Number.isFinite(waitMs) ? { waitMs: Math.max(0, waitMs) } : {}
}

function isDown(host: string, ms: number): Failed {
  const reason = `${host} is in trouble, or wants to be left alone: it is asked again in ${Math.ceil(ms / 1000)} s`
  return { failure: { code: 'host-down', reason, transient: true }, host, isKnown: true }
}

/** Says of an error of a request what it means for a row. */
function failureOf(error: unknown, url: URL): RowFailure {
  if (error instanceof TimeOver)
    return { code: 'timeout', reason: `${url.host}: ${error.message}`, transient: true }
  if (!(error instanceof ImageError)) throw error
  const reason = error.message
  if (error.code === 'refused') return { code: 'refused-private', reason, transient: false }
  if (error.code === 'too-large') return { code: 'too-large', reason, transient: false }
  if (error.code === 'unreadable') return { code: 'cut-off', reason, transient: true }
  if (error.cause === undefined) return { code: 'bad-answer', reason, transient: false }
  const cause = codeOf(error.cause)
  if (cause === 'ENOTFOUND') return { code: 'no-host', reason, transient: false }
  const isCertificate = /^(ERR_TLS|ERR_SSL|CERT_|DEPTH_|UNABLE_TO_|SELF_SIGNED|HOSTNAME_)/.test(cause)
  return isCertificate
    ? { code: 'certificate', reason, transient: false }
    : { code: 'unreachable', reason, transient: true }
}

/** Errors of networks lie within others, and one for each address that was tried. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return ''
  const { code, cause } = error as NodeJS.ErrnoException
  if (error instanceof AggregateError) return codeOf(error.errors[0])
  return code !== undefined && !code.startsWith('UND_')
    ? code
    : cause === undefined
      ? (code ?? '')
      : codeOf(cause)
}

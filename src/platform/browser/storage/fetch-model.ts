/**
 * A model's file from an address: resumed after cuts and after visits that ended, checked by length and sha256, kept in the origin's
 * private file system, and fetched once however many tabs ask for it.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import {
  numberOrNull,
  parseContentRange,
  resumable,
  sameVersion,
  type Version,
} from '../../../hub/byte-ranges.js'
import type { DownloadProgress } from '../../../hub/download-progress.js'
import { HubError, PassingTrouble } from '../../../hub/hub-error.js'
import { PartialModel } from './partial-model.js'

export interface FetchModelOptions {
  /** 64 hexadecimal digits that the whole file must have. */
  readonly sha256?: string
  /** Refuse a file longer than this many bytes. */
  readonly atMost?: number
  readonly signal: AbortSignal
  readonly onProgress: (progress: DownloadProgress) => void
  readonly onWarning: (message: string) => void
}

/** Tries after a failure that may pass, each twice as long after the last one, without a mebibyte of progress. */
const RETRIES = 5
/** A server that cannot be reached is not tried as often as one that has answered. */
const RETRIES_UNREACHED = 2
const RETRY_DELAY = 500
const LONGEST_WAIT = 60_000
const PROGRESS = 2 ** 20
/** How long a server may send nothing, milliseconds. */
const STALL = 30_000
/** How long a server may take to say whether a file that is here has changed, milliseconds. */
const LONGEST_QUESTION = 5000
/** Between two reports of bytes, milliseconds. */
const REPORT_EVERY = 100
const BUSY = [408, 425, 429, 500, 502, 503, 504]

/** The whole file. Throws `HubError`, or the signal's reason. */
export async function fetchModel(url: URL, options: FetchModelOptions): Promise<Blob> {
  const { signal, onProgress } = options
  const key = options.sha256?.toLowerCase() ?? bytesToHex(sha256(new TextEncoder().encode(url.href)))
  const lock = `plumage ${key}`
  const query = await navigator.locks?.query()
  if (query?.held?.some(({ name }) => name === lock)) {
    onProgress({ kind: 'waiting', received: 0, total: null, url: shown(url) })
  }
  const work = () => fetchLocked(url, key, options)
  // Tabs share what lies in the file system, and only one may write.
  return await (navigator.locks === undefined ? work() : navigator.locks.request(lock, { signal }, work))
}

async function fetchLocked(url: URL, key: string, options: FetchModelOptions): Promise<Blob> {
  await using partial = await PartialModel.open(key, options.onWarning)
  const { note } = partial
  // What is filed under a hash is right wherever it came from.
  const isSame = note !== null && (options.sha256 !== undefined || note.url === url.href)
  if (note?.sha256 && isSame && (await isCurrent(url, note, partial.received, options))) {
    options.onProgress({ kind: 'done', received: partial.received, total: partial.received, url: shown(url) })
    return await partial.finish()
  }
  const known = note !== null && note.url === url.href && note.sha256 === null
  if (known && resumable(note, options.sha256 !== undefined)) {
    const total = null
    await partial.rehash(options.signal, (received) =>
      options.onProgress({ kind: 'verify', received, total, url: shown(url) }),
    )
  } else {
    partial.restart(null)
  }
  await fetchPersistently(url, partial, options)
  options.onProgress({ kind: 'done', received: partial.received, total: partial.received, url: shown(url) })
  return await partial.finish()
}

/** What was fetched with a known hash stays right; of anything else the server is asked whether it has changed. */
async function isCurrent(
  url: URL,
  note: Version & { readonly sha256: string | null },
  bytes: number,
  { sha256: expected, signal }: FetchModelOptions,
): Promise<boolean> {
  if (expected !== undefined) return note.sha256 === expected.toLowerCase()
  try {
    const wait = AbortSignal.any([signal, AbortSignal.timeout(LONGEST_QUESTION)])
    const answer = await fetch(url, { method: 'HEAD', signal: wait, cache: 'no-cache' })
    if (!answer.ok) return true
    const length = answer.headers.has('content-encoding')
      ? null
      : numberOrNull(answer.headers.get('content-length'))
    return sameVersion(note, versionOf(answer)) && (length === null || length === bytes)
  } catch (error) {
    signal.throwIfAborted()
    // No connection, or no answer: what is here is used.
    if (error instanceof TypeError || (error instanceof DOMException && error.name === 'TimeoutError'))
      return true
    throw error
  }
}

async function fetchPersistently(url: URL, partial: PartialModel, options: FetchModelOptions): Promise<void> {
  const expected = options.sha256?.toLowerCase()
  let failures = 0
  let farthest = partial.received
  let startedAnew = false
  while (true) {
    try {
      await fetchRest(url, partial, options)
      if (expected === undefined || partial.sha256() === expected) return
      const found = partial.sha256()
      const inOnePiece = partial.inOnePiece
      partial.restart(null)
      // Pieces that do not belong together make a wrong whole: once more, in one piece.
      if (inOnePiece || startedAnew) throw wrongHash(url, found, expected)
      startedAnew = true
    } catch (error) {
      options.signal.throwIfAborted()
      if (!(error instanceof PassingTrouble)) throw error
      if (partial.received >= farthest + PROGRESS) failures = 0
      farthest = Math.max(farthest, partial.received)
      failures += 1
      const retries = error.error.code === 'no-network' ? RETRIES_UNREACHED : RETRIES
      if (failures > retries) throw error.error
      const delay = RETRY_DELAY * 2 ** (failures - 1) * (0.75 + Math.random() / 2)
      await pause(Math.min(error.retryAfterMs ?? delay, LONGEST_WAIT), options.signal)
    }
  }
}

/** One try: asks for what is missing, judges the answer and appends what comes. */
async function fetchRest(url: URL, partial: PartialModel, options: FetchModelOptions): Promise<void> {
  const stall = new AbortController()
  let timer: ReturnType<typeof setTimeout> | undefined
  const rearm = () => {
    clearTimeout(timer)
    timer = setTimeout(() => stall.abort(), STALL)
  }
  rearm()
  try {
    const signal = AbortSignal.any([options.signal, stall.signal])
    // If-Range would make the browser ask another origin for leave first, which many refuse: the answer's own version is looked at instead.
    const headers: HeadersInit = partial.received === 0 ? {} : { range: `bytes=${partial.received}-` }
    const answer = await fetch(url, { headers, signal, cache: 'no-store' })
    const total = await settleStart(url, answer, partial, options)
    if (total === 'complete') return
    await receive(url, answer, partial, total, options, rearm)
  } catch (error) {
    options.signal.throwIfAborted()
    if (stall.signal.aborted) {
      throw new PassingTrouble(
        new HubError(
          'stalled',
          `${url.host} sent nothing for ${STALL / 1000} s, ${partial.received} bytes into ${url.pathname}. ` +
            'Check the network and load again: it goes on from there.',
        ),
      )
    }
    // Browsers say of every trouble on the way, and of an answer that this page may not read, no more than this.
    if (error instanceof TypeError) throw noConnection(url, partial.received, error)
    throw error
  } finally {
    clearTimeout(timer)
  }
}

/** Where the answer's bytes belong: brings the partial file there and returns the total, null when nobody says. */
async function settleStart(
  url: URL,
  answer: Response,
  partial: PartialModel,
  options: FetchModelOptions,
): Promise<number | null | 'complete'> {
  const { status, headers } = answer
  if (status === 416) {
    const total = /^bytes \*\/(\d+)$/.exec(headers.get('content-range') ?? '')?.[1]
    if (partial.received > 0 && Number(total) === partial.received) return 'complete'
    partial.restart(null)
    throw again(url, `it has no byte ${partial.received}`)
  }
  if (!answer.ok) throw refusal(url, answer)
  const version = versionOf(answer)
  const length = headers.has('content-encoding') ? null : numberOrNull(headers.get('content-length'))
  let total = length
  if (status === 206) {
    const range = parseContentRange(headers.get('content-range'))
    // Another origin may hide the header; then only a hash can tell whether the pieces belong together.
    const rightPlace = range === null ? options.sha256 !== undefined : range.start === partial.received
    if (!rightPlace || !sameVersion(partial.note, version)) {
      await answer.body?.cancel()
      partial.restart(null)
      throw again(url, 'it answered with other bytes than those asked for, or of another version')
    }
    total = range?.total ?? (length === null ? null : partial.received + length)
  }
  if (total !== null && total > (options.atMost ?? Number.POSITIVE_INFINITY)) {
    await answer.body?.cancel()
    throw tooLong(url, total, options.atMost)
  }
  if (status === 206) partial.inOnePiece = false
  else partial.restart({ url: url.href, ...version, sha256: null })
  const kind = partial.received > 0 ? 'resume' : 'start'
  options.onProgress({ kind, received: partial.received, total, url: shown(url) })
  return total
}

async function receive(
  url: URL,
  answer: Response,
  partial: PartialModel,
  total: number | null,
  { atMost = Number.POSITIVE_INFINITY, onProgress }: FetchModelOptions,
  rearm: () => void,
): Promise<void> {
  const limit = total ?? atMost
  let reported = Number.NEGATIVE_INFINITY
  for await (const chunk of chunksOf(answer)) {
    rearm()
    if (partial.received + chunk.length > limit) {
      const found = partial.received + chunk.length
      partial.restart(null)
      throw tooLong(url, found, limit)
    }
    partial.append(chunk)
    if (performance.now() - reported < REPORT_EVERY) continue
    reported = performance.now()
    onProgress({ kind: 'bytes', received: partial.received, total, url: shown(url) })
  }
  if (total !== null && partial.received < total) throw cut(url, partial.received, total)
}

/** Safari's streams cannot be walked through otherwise. */
async function* chunksOf({ body }: Response): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = body?.getReader()
  if (reader === undefined) return
  try {
    while (true) {
      const { done, value } = await reader.read()
      if (done) return
      yield value
    }
  } finally {
    await reader.cancel().catch(() => {})
  }
}

function versionOf({ headers }: Response): Version {
  return { etag: headers.get('etag'), lastModified: headers.get('last-modified') }
}

/** Fit for messages: without query, which can hold a signature. */
function shown(url: URL): string {
  return url.protocol === 'blob:' || url.protocol === 'data:'
    ? `a ${url.protocol} address`
    : url.origin + url.pathname
}

function refusal(url: URL, { status, headers }: Response): Error {
  const found = `${shown(url)} answers ${status}, expected the file.`
  if (BUSY.includes(status)) {
    const seconds = Number(headers.get('retry-after') ?? Number.NaN)
    return new PassingTrouble(
      new HubError('server-error', `${found} The server is busy or broken: load again later.`),
      Number.isFinite(seconds) ? seconds * 1000 : undefined,
    )
  }
  if (status === 401 || status === 403) return new HubError('forbidden', `${found} May this page read it?`)
  if (status === 404 || status === 410) return new HubError('not-found', `${found} Check the address.`)
  return new HubError('server-error', `${found} Check the address.`)
}

function noConnection(url: URL, received: number, cause: unknown): PassingTrouble {
  const isElsewhere = url.origin !== globalThis.location.origin
  const reason = isElsewhere
    ? `there is no connection, or ${url.host} does not let pages of other origins read it (CORS)`
    : `there is no connection to ${url.host}`
  return new PassingTrouble(
    new HubError(
      'no-network',
      `${shown(url)} cannot be fetched, ${received} bytes in: ${reason}. Check the network and the address, then load again: it goes on from there.`,
      { cause },
    ),
  )
}

function cut(url: URL, received: number, total: number): PassingTrouble {
  return new PassingTrouble(
    new HubError(
      'short-file',
      `${shown(url)} was cut off after ${received} bytes, expected ${total}. Load again: it goes on from there.`,
    ),
  )
}

function again(url: URL, what: string): PassingTrouble {
  return new PassingTrouble(
    new HubError(
      'server-error',
      `${shown(url)}: ${what}, expected the rest of the file. Load again: it starts anew.`,
    ),
  )
}

function tooLong(url: URL, length: number, limit: number | undefined): HubError {
  return new HubError(
    'too-long',
    `${shown(url)} offers ${length} bytes or more, expected at most ${limit}. This is another file: nothing was kept. Check the address.`,
  )
}

function wrongHash(url: URL, found: string, expected: string): HubError {
  return new HubError(
    'wrong-hash',
    `${shown(url)} has the sha256 ${found}, expected ${expected}. It is damaged or another file: nothing was kept. Check the address.`,
  )
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer)
      reject(signal.reason)
    }
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop)
      resolve()
    }, milliseconds)
    signal.addEventListener('abort', stop, { once: true })
  })
}

/** One try at a download: asks for what is missing, judges the answer and appends what comes. */
import { statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Dispatcher } from 'undici'
import {
  numberOrNull,
  parseContentRange,
  resumable,
  sameVersion,
  type Version,
  validator,
} from '../../../hub/byte-ranges.js'
import type { DownloadProgress } from '../../../hub/download-progress.js'
import { HubError, PassingTrouble } from '../../../hub/hub-error.js'
import { errorCode } from './file-trouble.js'
import type { Environment } from './hub-settings.js'
import { type Answer, openUrl } from './open-url.js'
import type { PartialFile } from './partial-file.js'

export interface FetchJob {
  readonly url: URL
  readonly userAgent: string
  readonly env: Environment
  readonly dispatcher: Dispatcher
  readonly signal: AbortSignal
  readonly stallTimeoutMs: number
  /** Exact length in bytes, when known beforehand. */
  readonly size: number | undefined
  /** More bytes than this are refused. */
  readonly atMost: number
  /** Whether the whole will be checked by hash: only then may pieces be joined on a server's bare word. */
  readonly hashed: boolean
  report(kind: DownloadProgress['kind'], received: number, total: number | null): void
}

/**
 * Returns when the partial file is as long as it should be. Throws `PassingTrouble` when another try may go on from
 * there, `HubError` when not, the signal's reason when aborted.
 */
export async function fetchRest(partial: PartialFile, job: FetchJob): Promise<void> {
  if (partial.received > 0 && !resumable(partial.version, job.hashed)) await partial.restart()
  if (partial.received > 0 && partial.received === job.size) return

  const stall = watchStall(job.stallTimeoutMs, () => stalled(job, partial.received))
  const signal = AbortSignal.any([job.signal, stall.signal])
  try {
    const headers = { 'user-agent': job.userAgent, 'accept-encoding': 'identity', ...rangeHeaders(partial) }
    const answer = await openUrl(job.url, { headers, env: job.env, dispatcher: job.dispatcher, signal })
    const total = await settleStart(answer, partial, job)
    if (total === 'complete') return
    await receive(answer, partial, total, job, stall)
  } catch (error) {
    job.signal.throwIfAborted()
    if (stall.signal.aborted) throw stall.signal.reason
    throw error
  } finally {
    stall.stop()
  }
}

/** Where the answer's bytes belong: brings the partial file there and returns the total, null when nobody says. */
async function settleStart(
  answer: Answer,
  partial: PartialFile,
  job: FetchJob,
): Promise<number | null | 'complete'> {
  if (answer.status === 416) {
    await answer.body.dump().catch(() => {})
    const total = /^bytes \*\/(\d+)$/.exec(answer.headers['content-range'] ?? '')?.[1]
    if (partial.received > 0 && Number(total) === partial.received) return 'complete'
    await partial.restart()
    throw again(`${answer.from} has no byte ${partial.received}`)
  }
  const version = versionOf(answer)
  const range = answer.status === 206 ? parseContentRange(answer.headers['content-range']) : null
  if (
    answer.status === 206 &&
    (range?.start !== partial.received || !sameVersion(partial.version, version))
  ) {
    abandon(answer)
    await partial.restart()
    throw again(`${answer.from} answered with other bytes than those asked for, or of another version`)
  }
  const total = range ? range.total : numberOrNull(answer.headers['content-length'])
  judgeTotal(total, answer, job)
  await checkSpace(partial, (job.size ?? total ?? 0) - (range ? partial.received : 0))
  if (range === null) await partial.begin(version)
  else partial.inOnePiece = false
  job.report(partial.received > 0 ? 'resume' : 'start', partial.received, job.size ?? total)
  return job.size ?? total
}

async function receive(
  answer: Answer,
  partial: PartialFile,
  total: number | null,
  job: FetchJob,
  stall: StallWatch,
): Promise<void> {
  const limit = total ?? job.atMost
  stall.rearm()
  try {
    for await (const chunk of answer.body) {
      stall.stop() // A slow disk is not a stalled server.
      if (partial.received + chunk.length > limit)
        throw tooLong(answer, partial.received + chunk.length, limit)
      await partial.append(chunk)
      job.report('bytes', partial.received, total)
      stall.rearm()
    }
  } catch (error) {
    if (error instanceof HubError || job.signal.aborted || stall.signal.aborted || !isCut(error)) throw error
    throw cut(answer, partial.received, total, error)
  }
  if (total !== null && partial.received < total) throw cut(answer, partial.received, total)
}

function rangeHeaders(partial: PartialFile): Record<string, string> {
  if (partial.received === 0) return {}
  const range = { range: `bytes=${partial.received}-` }
  const condition = partial.version && validator(partial.version)
  return condition ? { ...range, 'if-range': condition } : range
}

function versionOf(answer: Answer): Version {
  return { etag: answer.headers.etag ?? null, lastModified: answer.headers['last-modified'] ?? null }
}

/** Before a byte is fetched: does the server mean the file that is expected? */
function judgeTotal(total: number | null, answer: Answer, job: FetchJob): void {
  if (total === null) return
  if (total > (job.size ?? job.atMost)) {
    abandon(answer)
    throw tooLong(answer, total, job.size ?? job.atMost)
  }
  if (job.size === undefined || total === job.size) return
  abandon(answer)
  throw new HubError(
    'short-file',
    `${answer.from} offers ${total} bytes, expected ${job.size}. Is something between you and the server answering in its ` +
      'place? Check the address and the proxy.',
  )
}

async function checkSpace(partial: PartialFile, needed: number): Promise<void> {
  const disk = await statfs(dirname(partial.path)).catch(() => null)
  const free = disk ? disk.bavail * disk.bsize : Number.POSITIVE_INFINITY
  if (needed <= free) return
  throw new HubError(
    'disk-full',
    `${partial.destination} needs ${mebibytes(needed)} more, and its disk has ${mebibytes(free)} free. Free some space, ` +
      'or set PLUMAGE_CACHE to a folder on another disk.',
  )
}

interface StallWatch {
  readonly signal: AbortSignal
  rearm(): void
  stop(): void
}

function watchStall(ms: number, reason: () => Error): StallWatch {
  const controller = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const stop = () => clearTimeout(timer)
  const rearm = () => {
    stop()
    timer = setTimeout(() => controller.abort(reason()), ms)
  }
  rearm()
  return { signal: controller.signal, rearm, stop }
}

function stalled(job: FetchJob, received: number): PassingTrouble {
  return new PassingTrouble(
    new HubError(
      'stalled',
      `${job.url.host} sent nothing for ${job.stallTimeoutMs / 1000} s, ${received} bytes into ${job.url.pathname}. ` +
        'Check the network and run again: it goes on from there.',
    ),
  )
}

function cut(answer: Answer, received: number, total: number | null, cause?: unknown): PassingTrouble {
  const expected = total === null ? 'the end of the file' : `${total}`
  return new PassingTrouble(
    new HubError(
      'short-file',
      `${answer.from} was cut off after ${received} bytes, expected ${expected}. Run again: it goes on from there.`,
      { cause },
    ),
  )
}

function again(what: string): PassingTrouble {
  return new PassingTrouble(
    new HubError('server-error', `${what}, expected the rest of the file. Run again: it starts anew.`),
  )
}

function tooLong(answer: Answer, length: number, limit: number): HubError {
  return new HubError(
    'too-long',
    `${answer.from} offers ${length} bytes or more, expected at most ${limit}. This is another file: nothing was kept. ` +
      'Check the address.',
  )
}

/** Errors of undici and of the socket, as against those of our own disk. */
function isCut(error: unknown): boolean {
  return /^(UND_ERR|ECONNRESET|EPIPE|ETIMEDOUT|ERR_STREAM_PREMATURE|HPE_|ERR_SSL)/.test(errorCode(error))
}

/** Lets go of an answer whose body nobody wants, however long it is. */
function abandon(answer: Answer): void {
  answer.body.on('error', () => {}).destroy()
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`
}

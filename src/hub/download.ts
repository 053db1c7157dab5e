/**
 * A file comes from an address in this one way: whole or not at all, resumed after cuts, checked by length
 * and sha256, and fetched once however many ask for it. Where it is kept, how a server is asked and what can
 * be advised is handed in by the platform.
 */
import type { Advice } from './advice.js'
import type { Opener } from './answer.js'
import { type Clock, systemClock } from './clock.js'
import type { DownloadPlace, StoredFile } from './download-place.js'
import type { DownloadProgress } from './download-progress.js'
import type { DownloadRun } from './download-run.js'
import { fetchPersistently } from './fetch-persistently.js'
import { dropUnusable } from './fetch-rest.js'
import { HubError } from './hub-error.js'
import { isCurrent } from './is-current.js'
import { progressReporter } from './report-progress.js'

/** Says what is downloaded, and how patiently. */
export interface DownloadJob {
  /** Is the address. */
  readonly url: URL
  /** The whole file must have these 64 hexadecimal digits; default: any. */
  readonly sha256?: string | undefined
  /** The whole file must have exactly so many bytes; default: as many as the server says. */
  readonly size?: number | undefined
  /** Refuses a file longer than this many bytes, where the exact length is not known; default: no bound. */
  readonly atMost?: number | undefined
  /** Ends the download, which then rejects with the signal's reason; what has arrived is kept. */
  readonly signal?: AbortSignal | undefined
  /** Is told how far it is. */
  readonly onProgress?: ((progress: DownloadProgress) => void) | undefined
  /** Where the network may not be touched, this is the message of the error that says so. */
  readonly offline?: string | undefined
  /**
   * A failure that may pass is followed by so many more tries, each after twice the wait; 5 unless given. A
   * mebibyte of progress lets the count begin again.
   */
  readonly retries?: number | undefined
  /** The first wait between tries takes so many milliseconds; 500 unless given. */
  readonly retryDelayMs?: number | undefined
  /** The server may send nothing for so many milliseconds; 30 000 unless given. */
  readonly stallTimeoutMs?: number | undefined
}

export interface DownloadPlatform<Kept> {
  readonly place: DownloadPlace<Kept>
  readonly opener: Opener
  readonly advice: Advice
  readonly clock?: Clock
}

export interface Download<Kept> {
  readonly kept: Kept
  /** Counts the file's bytes. */
  readonly size: number
  /** It is null when the file was here already and no hash was asked for. */
  readonly sha256: string | null
  /** It is false when the file was here already, or somebody else brought it meanwhile. */
  readonly downloaded: boolean
}

const DEFAULTS = { retries: 5, retryDelayMs: 500, stallTimeoutMs: 30_000 } as const

/**
 * Uses the stored file if it fits (hash, length, or else what the server says of it); one that does not is
 * fetched anew. After a failure or an abort the bytes stay, and the next call goes on from there. Throws
 * `HubError`, or the signal's reason.
 */
export async function download<Kept>(
  job: DownloadJob,
  platform: DownloadPlatform<Kept>,
): Promise<Download<Kept>> {
  const { place } = platform
  job.signal?.throwIfAborted()
  const run = runOf(job, platform, job.signal ?? new AbortController().signal)
  const present = await fittingOrNull(await place.findStored(false), job, run)
  if (present !== null) return present
  if (job.offline !== undefined) throw new HubError('offline', job.offline)

  await using lock = await place.lock(job.signal, (received) => run.report('waiting', received, run.size))
  // Whoever held the lock before may have brought it.
  const brought = await fittingOrNull(await place.findStored(true), job, run)
  if (brought !== null) return brought
  const signal = AbortSignal.any([run.signal, lock.lost])
  // It is waited for here, since the lock is let go when this function is left.
  return await fetchWhole(place, { ...run, signal })
}

async function fetchWhole<Kept>(place: DownloadPlace<Kept>, run: DownloadRun): Promise<Download<Kept>> {
  await using partial = await place.openPartial()
  await dropUnusable(partial, run)
  if (partial.received > 0) {
    await partial.takeUp(run.signal, (read) => run.report('verify', read, run.size))
  }
  await fetchPersistently(partial, run)
  const { received: size } = partial
  const sha256 = partial.sha256()
  const kept = await partial.finish()
  run.report('done', size, size)
  return { kept, size, sha256, downloaded: true }
}

async function fittingOrNull<Kept>(
  stored: StoredFile<Kept> | null,
  job: DownloadJob,
  run: DownloadRun,
): Promise<Download<Kept> | null> {
  if (stored === null || (run.size !== null && stored.size !== run.size)) return null
  const { kept, size, version } = stored
  if (run.sha256 === null) {
    const isAsked = version !== null && job.offline === undefined
    const isFit = !isAsked || (await isCurrent({ version, size }, run))
    return isFit ? { kept, size, sha256: null, downloaded: false } : null
  }
  const sha256 = await stored.sha256(job.signal, (read) => run.report('verify', read, size))
  return sha256 === run.sha256 ? { kept, size, sha256, downloaded: false } : null
}

function runOf(job: DownloadJob, platform: DownloadPlatform<unknown>, signal: AbortSignal): DownloadRun {
  const { opener, advice, clock = systemClock } = platform
  return {
    url: job.url,
    opener,
    advice,
    clock,
    signal,
    sha256: job.sha256?.toLowerCase() ?? null,
    size: job.size ?? null,
    atMost: job.atMost ?? Number.POSITIVE_INFINITY,
    retries: job.retries ?? DEFAULTS.retries,
    retryDelayMs: job.retryDelayMs ?? DEFAULTS.retryDelayMs,
    stallTimeoutMs: job.stallTimeoutMs ?? DEFAULTS.stallTimeoutMs,
    report: progressReporter(job.url, clock, job.onProgress),
  }
}

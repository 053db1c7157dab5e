/**
 * A file from an address, whole or not at all: resumed after cuts, checked by length and sha256, renamed into place, and
 * fetched once however many processes ask for it.
 */
import { mkdir, readFile, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { EnvHttpProxyAgent } from 'undici'
import type { DownloadProgress } from '../../../hub/download-progress.js'
import { HubError, PassingTrouble } from '../../../hub/hub-error.js'
import { acquireDownloadLock } from './download-lock.js'
import { type FetchJob, fetchRest } from './fetch-rest.js'
import { errorCode, fileTrouble } from './file-trouble.js'
import { hashFile } from './hash-file.js'
import { applyEndpoint, type Environment, isOffline, proxySettings } from './hub-settings.js'
import { showUrl } from './open-url.js'
import { PartialFile } from './partial-file.js'
import { pause } from './pause.js'

export interface DownloadOptions {
  /** 64 hexadecimal digits that the whole file must have. */
  readonly sha256?: string | undefined
  /** Exact length in bytes. */
  readonly size?: number | undefined
  /** Refuse a file longer than this many bytes, where the exact length is not known. */
  readonly atMost?: number | undefined
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((progress: DownloadProgress) => void) | undefined
  /** Do not touch the network; `HF_HUB_OFFLINE` says the same. */
  readonly offline?: boolean | undefined
  /** Tries after a failure that may pass, each twice as long after the last one, without a mebibyte of progress. */
  readonly retries?: number | undefined
  /** The first wait between tries. */
  readonly retryDelayMs?: number | undefined
  /** How long the server may send nothing. */
  readonly stallTimeoutMs?: number | undefined
  /** How long to wait for another process that downloads the same file. */
  readonly lockWaitMs?: number | undefined
  /** After how long a lock that nobody renews is that of a dead process. */
  readonly lockStaleMs?: number | undefined
  /** `HF_ENDPOINT`, `HF_TOKEN`, `HF_HUB_OFFLINE` and the proxies are read from here. */
  readonly env?: Environment | undefined
}

export interface DownloadedFile {
  /** Absolute. */
  readonly path: string
  readonly size: number
  /** Null when the file was there already and no hash was asked for. */
  readonly sha256: string | null
  /** False when it was there already, or another process brought it meanwhile. */
  readonly downloaded: boolean
}

const DEFAULTS = {
  retries: 5,
  retryDelayMs: 500,
  stallTimeoutMs: 30_000,
  lockWaitMs: 6 * 3600_000,
  lockStaleMs: 20_000,
} as const

const LONGEST_WAIT_MS = 60_000
/** A server that cannot be reached at all is not tried as often as one that has answered. */
const RETRIES_UNREACHED = 2
/** A try that brought at least this much was worth it: the count of failures begins again. */
const PROGRESS = 1 << 20

/**
 * Puts the file of `url` at `destination`. One that is there and fits (sha256, size) is used; one that does not fit is
 * replaced once the new one is whole. After a failure or an abort the `.partial` beside it stays, and the next call goes
 * on from there. Throws `HubError`, or the signal's reason.
 */
export async function downloadFile(
  url: string,
  destination: string,
  options: DownloadOptions = {},
): Promise<DownloadedFile> {
  const path = resolve(destination)
  const env = options.env ?? process.env
  const address = parseAddress(applyEndpoint(url, env))
  options.signal?.throwIfAborted()

  const present = await fittingFileOrNull(path, address, options)
  if (present) return present
  if (options.offline || isOffline(env)) throw offlineError(path, address)

  await mkdir(dirname(path), { recursive: true }).catch((error) => {
    throw fileTrouble(error, dirname(path))
  })
  await using lock = await acquireDownloadLock(path, {
    staleMs: options.lockStaleMs ?? DEFAULTS.lockStaleMs,
    waitMs: options.lockWaitMs ?? DEFAULTS.lockWaitMs,
    signal: options.signal,
    onWaiting: async () =>
      report(options, address, 'waiting', await lengthOf(`${path}.partial`), options.size ?? null),
  })
  // Whoever held the lock before may have brought it.
  const broughtByOther = await fittingFileOrNull(path, address, options)
  if (broughtByOther) return broughtByOther

  const signal = options.signal ? AbortSignal.any([options.signal, lock.lost]) : lock.lost
  // Awaited here: the lock is let go when this function is left.
  return await fetchWhole(path, address, { ...options, env, signal })
}

async function fetchWhole(
  path: string,
  url: URL,
  options: DownloadOptions & { env: Environment; signal: AbortSignal },
): Promise<DownloadedFile> {
  const dispatcher = proxyAgent(options.env)
  try {
    await using partial = await PartialFile.open(path, showUrl(url), {
      signal: options.signal,
      onBytes: (read) => report(options, url, 'verify', read, options.size ?? null),
    })
    const job: FetchJob = {
      url,
      userAgent: `plumage/${await version()}`,
      env: options.env,
      dispatcher,
      signal: options.signal,
      stallTimeoutMs: options.stallTimeoutMs ?? DEFAULTS.stallTimeoutMs,
      size: options.size,
      atMost: options.atMost ?? Number.POSITIVE_INFINITY,
      hashed: options.sha256 !== undefined,
      report: (kind, received, total) => report(options, url, kind, received, total),
    }
    await fetchPersistently(partial, job, options)
    const sha256 = partial.sha256()
    await partial.finish()
    job.report('done', partial.received, partial.received)
    return { path, size: partial.received, sha256, downloaded: true }
  } finally {
    await dispatcher.destroy()
  }
}

/** Tries until the file is whole and right, or until trying is no use. */
async function fetchPersistently(
  partial: PartialFile,
  job: FetchJob,
  options: DownloadOptions,
): Promise<void> {
  let failures = 0
  let farthest = partial.received
  let startedAnew = false
  while (true) {
    try {
      await fetchRest(partial, job)
      if (options.sha256 === undefined || partial.sha256() === options.sha256.toLowerCase()) return
      if (partial.inOnePiece || startedAnew) throw wrongHash(partial, job.url, options.sha256)
      // Pieces that do not belong together make a wrong whole: once more, in one piece.
      startedAnew = true
      await partial.restart()
    } catch (error) {
      if (error instanceof HubError && (error.code === 'wrong-hash' || error.code === 'too-long'))
        await partial.discard()
      if (!(error instanceof PassingTrouble)) throw error
      if (partial.received >= farthest + PROGRESS) failures = 0
      farthest = Math.max(farthest, partial.received)
      failures += 1
      if (failures > retriesFor(error.error, options)) throw error.error
      await pause(waitBefore(failures, error.retryAfterMs, options), job.signal)
    }
  }
}

function retriesFor(error: HubError, options: DownloadOptions): number {
  const retries = options.retries ?? DEFAULTS.retries
  return error.code === 'no-network' ? Math.min(retries, RETRIES_UNREACHED) : retries
}

/** Twice as long each time, with some chance in it so that many machines do not come back at once. */
function waitBefore(failure: number, retryAfterMs: number | undefined, options: DownloadOptions): number {
  const base = (options.retryDelayMs ?? DEFAULTS.retryDelayMs) * 2 ** (failure - 1)
  return Math.min(retryAfterMs ?? base * (0.75 + Math.random() / 2), LONGEST_WAIT_MS)
}

async function fittingFileOrNull(
  path: string,
  url: URL,
  options: DownloadOptions,
): Promise<DownloadedFile | null> {
  const size = await lengthOf(path)
  if (size === 0 || (options.size !== undefined && size !== options.size)) return null
  if (options.sha256 === undefined) return { path, size, sha256: null, downloaded: false }
  const onBytes = (read: number) => report(options, url, 'verify', read, size)
  const sha256 = await hashFile(path, { signal: options.signal, onBytes })
  return sha256 === options.sha256.toLowerCase() ? { path, size, sha256, downloaded: false } : null
}

/** 0 when there is no such file. */
async function lengthOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return 0
    throw fileTrouble(error, path)
  }
}

function report(
  options: DownloadOptions,
  url: URL,
  kind: DownloadProgress['kind'],
  received: number,
  total: number | null,
): void {
  options.onProgress?.({ kind, received, total, url: showUrl(url) })
}

function proxyAgent(env: Environment): EnvHttpProxyAgent {
  try {
    // Stalls are watched for here, so that the time spent on a slow disk does not count. Plain http goes through a proxy
    // as plain requests: many proxies allow tunnels to port 443 only.
    return new EnvHttpProxyAgent({
      ...proxySettings(env),
      headersTimeout: 0,
      bodyTimeout: 0,
      proxyTunnel: false,
    })
  } catch (error) {
    throw new HubError(
      'no-network',
      'HTTPS_PROXY or HTTP_PROXY is no address, expected one like http://proxy.example:3128. Correct it or unset it.',
      { cause: error },
    )
  }
}

function parseAddress(url: string): URL {
  if (URL.canParse(url) && /^https?:/i.test(url)) return new URL(url)
  throw new HubError('no-address', `"${url}" is no http(s) address. Give one that begins with https://.`)
}

async function version(): Promise<string> {
  const text = await readFile(new URL('../../../../package.json', import.meta.url), 'utf8')
  return JSON.parse(text).version
}

function offlineError(path: string, url: URL): HubError {
  return new HubError(
    'offline',
    `${path} is not there, and the network may not be used (offline, HF_HUB_OFFLINE). Fetch ${showUrl(url)} on ` +
      'another machine and put it there, or allow the network.',
  )
}

function wrongHash(partial: PartialFile, url: URL, expected: string): HubError {
  return new HubError(
    'wrong-hash',
    `${showUrl(url)} has sha256 ${partial.sha256()}, expected ${expected}. Nothing was kept. Either it was changed on the ` +
      'way, or the file was published again: run once more, and look for a newer release if it stays.',
  )
}

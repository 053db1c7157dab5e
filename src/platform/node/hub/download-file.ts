/**
 * Brings a file from an address to a path: the universal download is given this machine's disk, lock, sockets
 * and advice.
 */
import { resolve } from 'node:path'
import { checkOptionNames, type OptionNames } from '../../../check-option-names.js'
import type { Advice } from '../../../hub/advice.js'
import { type DownloadJob, download } from '../../../hub/download.js'
import type { DownloadPlace } from '../../../hub/download-place.js'
import { HubError } from '../../../hub/hub-error.js'
import { showUrl } from '../../../hub/show-url.js'
import { DiskPlace, type LockPatience } from './disk-place.js'
import { applyEndpoint, type Environment, isOffline } from './hub-settings.js'
import { UndiciOpener } from './undici-opener.js'

/** Says what the file must be, and how patiently it is fetched. */
export interface DownloadOptions extends Omit<DownloadJob, 'url' | 'offline'> {
  /** If true, the network is not touched; default: as `HF_HUB_OFFLINE` says. */
  readonly offline?: boolean | undefined
  /** Another process that downloads the same file is waited for so many milliseconds; six hours unless given. */
  readonly lockWaitMs?: number | undefined
  /** A lock that nobody renews for so many milliseconds is that of a dead process; 20 000 unless given. */
  readonly lockStaleMs?: number | undefined
  /** `HF_ENDPOINT`, `HF_TOKEN`, `HF_HUB_OFFLINE` and the proxies are read from here; default: `process.env`. */
  readonly env?: Environment | undefined
}

export const DOWNLOAD_OPTIONS = {
  sha256: true,
  size: true,
  atMost: true,
  signal: true,
  onProgress: true,
  offline: true,
  retries: true,
  retryDelayMs: true,
  stallTimeoutMs: true,
  lockWaitMs: true,
  lockStaleMs: true,
  env: true,
} satisfies OptionNames<DownloadOptions>

/** Is a file that is here, whole. */
export interface DownloadedFile {
  /** The path is absolute. */
  readonly path: string
  /** Counts its bytes. */
  readonly size: number
  /** It is null when the file was there already and no hash was asked for. */
  readonly sha256: string | null
  /** It is false when the file was there already, or another process brought it meanwhile. */
  readonly downloaded: boolean
}

const ADVICE: Advice = {
  again: 'Run again',
  notFound: 'Check it, or HF_ENDPOINT.',
  forbidden:
    'Set HF_TOKEN to a token that may read it (Hugging Face also answers 401 for what does not exist).',
  busy: 'Try again later; what has arrived is kept.',
  wrongHash:
    'Either it was changed on the way, or the file was published again: run once more, and look for a newer release if it stays.',
}

const LOCK_DEFAULTS = { waitMs: 6 * 3600_000, staleMs: 20_000 } as const

/**
 * Puts the file of `url` at `destination`. One that is there and fits (sha256, size) is used; one that does
 * not fit is replaced once the new one is whole. After a failure or an abort the `.partial` beside it stays,
 * and the next call goes on from there. Throws `HubError` (`HubErrorCode` says of each code what to do); RangeError for an
 * unknown option; the signal's reason.
 */
export async function downloadFile(
  url: string,
  destination: string,
  options: DownloadOptions = {},
): Promise<DownloadedFile> {
  checkOptionNames(options, DOWNLOAD_OPTIONS)
  const path = resolve(destination)
  return await downloadTo(url, path, options, (address, patience) => new DiskPlace(path, address, patience))
}

/** Brings a file to a place that is made once its address and the patience with other processes are known. */
export async function downloadTo(
  url: string,
  path: string,
  options: DownloadOptions,
  placeAt: (address: URL, patience: LockPatience) => DownloadPlace<string>,
): Promise<DownloadedFile> {
  const env = options.env ?? process.env
  const address = parseAddress(applyEndpoint(url, env))
  const place = placeAt(address, {
    waitMs: options.lockWaitMs ?? LOCK_DEFAULTS.waitMs,
    staleMs: options.lockStaleMs ?? LOCK_DEFAULTS.staleMs,
  })
  const offline = options.offline || isOffline(env) ? offlineMessage(path, address) : undefined
  await using opener = new UndiciOpener(env)
  const job = { ...options, url: address, offline }
  const { kept, size, sha256, downloaded } = await download(job, { place, opener, advice: ADVICE })
  return { path: kept, size, sha256, downloaded }
}

function parseAddress(url: string): URL {
  if (URL.canParse(url) && /^https?:/i.test(url)) return new URL(url)
  throw new HubError('no-address', `"${url}" is no http(s) address. Give one that begins with https://.`)
}

function offlineMessage(path: string, url: URL): string {
  return (
    `${path} is not there, and the network may not be used (offline, HF_HUB_OFFLINE). Fetch ${showUrl(url)} on ` +
    'another machine and put it there, or allow the network.'
  )
}

/**
 * Fetches a model's file: the universal download is given the origin's private file system, the tabs' locks
 * and `fetch`.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import type { Advice } from '../../../hub/advice.js'
import { download } from '../../../hub/download.js'
import type { DownloadProgress } from '../../../hub/download-progress.js'
import { showUrl } from '../../../hub/show-url.js'
import { fetchOpener } from './fetch-opener.js'
import { modelFolderOrNull } from './model-folder.js'
import { OriginPlace } from './origin-place.js'

export interface FetchModelOptions {
  /** The whole file must have these 64 hexadecimal digits. */
  readonly sha256?: string
  /** A file of more bytes than this is refused. */
  readonly atMost?: number
  readonly signal: AbortSignal
  readonly onProgress: (progress: DownloadProgress) => void
  readonly onWarning: (message: string) => void
}

export interface FetchedModel {
  readonly blob: Blob
  /** Is the whole file's, as it was found while it was downloaded; null where it is not known. */
  readonly sha256: string | null
}

const ADVICE: Advice = {
  again: 'Load again',
  notFound: 'Check the address.',
  forbidden: 'May this page read it?',
  busy: 'Load again later; what has arrived is kept.',
  wrongHash: 'Either it was damaged on the way, or this is another file. Check the address.',
}

/**
 * Gives the whole file. A stored one is used if it has the hash, or, without a hash, if the server has no
 * other. Throws `HubError`, or the signal's reason.
 */
export async function fetchModel(url: URL, options: FetchModelOptions): Promise<FetchedModel> {
  const hash = options.sha256?.toLowerCase()
  const key = hash ?? bytesToHex(sha256(new TextEncoder().encode(url.href)))
  const folder = await modelFolderOrNull(options.onWarning)
  const place = new OriginPlace(folder, key, url, hash !== undefined)
  const job = {
    url,
    sha256: hash,
    atMost: options.atMost,
    signal: options.signal,
    onProgress: options.onProgress,
  }
  const {
    kept,
    size,
    sha256: found,
    downloaded,
  } = await download(job, { place, opener: fetchOpener, advice: ADVICE })
  // A page that showed how long it waited hears that it need not wait any longer.
  if (!downloaded) options.onProgress({ kind: 'done', received: size, total: size, url: showUrl(url) })
  return { blob: kept, sha256: found ?? place.foundSha256 }
}

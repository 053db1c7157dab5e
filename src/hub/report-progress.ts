/** Tells about a download, but of a stream of bytes only as often as somebody could look. */
import type { Clock } from './clock.js'
import type { DownloadProgress } from './download-progress.js'
import { showUrl } from './show-url.js'

export type Report = (kind: DownloadProgress['kind'], received: number, total: number | null) => void

/** A listener may be a message to another thread away, and a chunk can be a kilobyte. */
const REPORT_EVERY_MS = 100

/**
 * The first of several `bytes` or `verify` in a row is told at once, the others now and then; all other kinds
 * are always told.
 */
export function progressReporter(
  url: URL,
  clock: Clock,
  onProgress: ((progress: DownloadProgress) => void) | undefined,
): Report {
  if (onProgress === undefined) return () => {}
  let last: DownloadProgress['kind'] = 'start'
  let lastAt = Number.NEGATIVE_INFINITY
  return (kind, received, total) => {
    const streams = kind === 'bytes' || kind === 'verify'
    const now = clock.now()
    if (streams && kind === last && now - lastAt < REPORT_EVERY_MS) return
    last = kind
    lastAt = now
    onProgress({ kind, received, total, url: showUrl(url) })
  }
}

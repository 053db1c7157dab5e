/** How far a download is. */
export interface DownloadProgress {
  /** `waiting`: another process or tab is downloading this file, and `received` is how far it is, where that is known. */
  readonly kind: 'start' | 'resume' | 'bytes' | 'waiting' | 'verify' | 'done'
  /** Bytes of the file that are here (with `verify`, that have been checked). */
  readonly received: number
  /** Bytes of the whole file; null when the server does not say. */
  readonly total: number | null
  readonly url: string
}

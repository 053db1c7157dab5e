/** Tells how far a download is. */
export interface DownloadProgress {
  /**
   * `waiting` means that another process or tab is downloading this file; `received` is then how far it is,
   * where that is known.
   */
  readonly kind: 'start' | 'resume' | 'bytes' | 'waiting' | 'verify' | 'done'
  /** Counts the bytes of the file that are here (with `verify`, those that have been checked). */
  readonly received: number
  /** Counts the bytes of the whole file; null when the server does not say. */
  readonly total: number | null
  /** Is the address, without what is secret in it. */
  readonly url: string
}

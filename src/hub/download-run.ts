/** Holds what all parts of a download under way need to know of it. */
import type { Advice } from './advice.js'
import type { Opener } from './answer.js'
import type { Clock } from './clock.js'
import type { Report } from './report-progress.js'

export interface DownloadRun {
  readonly url: URL
  readonly opener: Opener
  readonly advice: Advice
  readonly clock: Clock
  /** Aborts when the caller has enough or the lock is lost. */
  readonly signal: AbortSignal
  /**
   * The whole file must have this hash (lower case); null when nobody knows it. Only a hash lets pieces be
   * joined on a server's bare word.
   */
  readonly sha256: string | null
  /** The file must have exactly so many bytes; null when nobody knows it. */
  readonly size: number | null
  /** More bytes than this are refused. */
  readonly atMost: number
  /** Counts the tries after a failure that may pass, as long as no mebibyte of progress was made. */
  readonly retries: number
  /** The first wait between tries takes so long; each further one takes twice as long. */
  readonly retryDelayMs: number
  /** The server may send nothing for so long. */
  readonly stallTimeoutMs: number
  readonly report: Report
}

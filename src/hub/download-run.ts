/** What all parts of a download under way need to know of it. */
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
  /** The hash that the whole file must have, in lower case; null when nobody knows it. Only a hash lets pieces be joined on a server's bare word. */
  readonly sha256: string | null
  /** The exact length in bytes; null when nobody knows it. */
  readonly size: number | null
  /** More bytes than this are refused. */
  readonly atMost: number
  /** Tries after a failure that may pass, without a mebibyte of progress. */
  readonly retries: number
  /** The first wait between tries. */
  readonly retryDelayMs: number
  /** How long the server may send nothing. */
  readonly stallTimeoutMs: number
  readonly report: Report
}

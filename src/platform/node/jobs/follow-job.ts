/** Looks after jobs: how far they are, whether they go on, and whether all is there. */
import { checkOptionNames, type OptionNames } from '../../../check-option-names.js'
import {
  cancelJob as cancel,
  pauseJob as pause,
  planRetry,
  resumeJob as resume,
} from '../../../jobs/control-job.js'
import { type JobProgress, jobStatusOf } from '../../../jobs/job-status.js'
import type { Plan } from '../../../jobs/plan.js'
import { type Proof, proveResult } from '../../../jobs/prove-job.js'
import { type JobPlace, withJob } from './job-place.js'
import { rowHash } from './row-hash.js'

/** Says how something is asked of a job. */
export interface JobOptions {
  /** Ends the work, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal
}

const OPTIONS = { signal: true } satisfies OptionNames<JobOptions>

/** Says how far a job is, as far as its workers have told. Throws `JobError` `not-found`, `damaged`; `StorageError`. */
export async function jobStatus(place: JobPlace, options: JobOptions = {}): Promise<JobProgress> {
  checkOptionNames(options, OPTIONS)
  const { signal } = options
  return await withJob(place, signal, (storage, job) =>
    jobStatusOf(storage, job, rowHash, { now: Date.now(), signal }),
  )
}

/** Lets workers end the parts that they have and take no others. Throws `JobError` `not-found`, `stopped` where the job does not run; `StorageError`. */
export async function pauseJob(place: JobPlace, options: JobOptions = {}): Promise<void> {
  checkOptionNames(options, OPTIONS)
  await withJob(place, options.signal, (storage) => pause(storage, options))
}

/** Ends all workers of a job after the parts that they have. What is committed stays, and the job may be resumed. Throws `JobError` `not-found`; `StorageError`. */
export async function cancelJob(place: JobPlace, options: JobOptions = {}): Promise<void> {
  checkOptionNames(options, OPTIONS)
  await withJob(place, options.signal, (storage) => cancel(storage, options))
}

/** Says how a job is resumed. */
export interface ResumeOptions extends JobOptions {
  /** Replaces the share of failed rows, 0 to 1, above which the job stops. */
  readonly maxFailed?: number
}

const RESUME = { maxFailed: true, signal: true } satisfies OptionNames<ResumeOptions>

/**
 * Lets a job go on, in whatever queue its workers use then: what is missing is put into it anew. Throws `JobError` `not-found`; RangeError for a share that is none;
 * `StorageError`.
 */
export async function resumeJob(place: JobPlace, options: ResumeOptions = {}): Promise<void> {
  checkOptionNames(options, RESUME)
  await withJob(place, options.signal, (storage) => resume(storage, options))
}

/** Says which failed rows are tried again. */
export interface RetryOptions extends JobOptions {
  /** Names codes of failures: `timeout`. Default: the failures that may pass by themselves. */
  readonly reasons?: readonly string[]
  /** Takes all failed rows; default `false`. */
  readonly all?: boolean
}

const RETRY = { reasons: true, all: true, signal: true } satisfies OptionNames<RetryOptions>

/**
 * Plans failed rows alone, as another round, whose rows replace them; workers then do it.
 *
 * @throws `JobError` `not-found`, `not-finished` where parts are missing, `nothing-to-do`, `damaged`; `StorageError`
 */
export async function retryJob(place: JobPlace, options: RetryOptions = {}): Promise<Plan> {
  checkOptionNames(options, RETRY)
  return await withJob(place, options.signal, (storage, job) =>
    planRetry({ ...options, job, storage, hash: rowHash }),
  )
}

/** Says how it is proven that all is there. */
export interface ProveOptions extends JobOptions {
  /** Reads all rows, and does not believe what parts say of themselves; default `false`. */
  readonly deep?: boolean
  /** Is told how many parts have been looked at, of how many. */
  readonly onProgress?: (parts: number, of: number) => void
  /** Is told each thing that is not as it must be. */
  readonly onProblem?: (problem: string) => void
}

const PROVE = {
  deep: true,
  onProgress: true,
  onProblem: true,
  signal: true,
} satisfies OptionNames<ProveOptions>

/** Proves that each row of the source is in the result exactly once, or says what is not so. Throws `JobError` `not-found`, `damaged`; `StorageError`. */
export async function proveJob(place: JobPlace, options: ProveOptions = {}): Promise<Proof> {
  checkOptionNames(options, PROVE)
  return await withJob(place, options.signal, (storage, job) =>
    proveResult({ ...options, job, storage, hash: rowHash }),
  )
}

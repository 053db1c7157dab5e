/** Makes jobs: a list of images becomes a plan that any number of machines works on. */
import { checkOptionNames, type OptionNames } from '../../../check-option-names.js'
import { systemClock } from '../../../clock.js'
import {
  type CreatedJob,
  mostRowsPerPart,
  planJob,
  type RowSource,
  unplannedJobOrNull,
} from '../../../jobs/create-job.js'
import type { JobEncoder } from '../../../jobs/encode-rows.js'
import type { Fetcher } from '../../../jobs/fetcher.js'
import type { Job, PartDtype } from '../../../jobs/job.js'
import { measureRowsPerPart } from '../../../jobs/measure-part.js'
import type { PlainRecord } from '../../../plain-value.js'
import type { Storage } from '../../../storage/storage.js'
import { assertWritable, tryConditionalWrites } from '../../../storage/try-conditional-writes.js'
import { type Fetching, JobFetcher } from './job-fetcher.js'
import { type JobPlace, withPlace } from './job-place.js'
import { rowHash } from './row-hash.js'

/** Says how a job is made. */
export interface CreateJobOptions {
  /** Is where the job is to lie, with its plan and its result: a folder that all workers see, or a bucket. One job lies in a place. */
  readonly to: JobPlace
  /** Computes as all workers are to: what its identity holds is settled here. It stays the caller's. */
  readonly encoder: JobEncoder
  /** Says how workers load that encoder: the model's name or path, and the options that it was loaded with. */
  readonly model: Job['model']
  /** Brings images while it is found out how fast they are embedded; default: as `fetching` says. */
  readonly fetcher?: Fetcher
  /** Is how embeddings are kept; default `float16`. */
  readonly dtype?: PartDtype
  /** Counts the rows of a part; default: two minutes of work, measured on the first rows. */
  readonly rowsPerPart?: number
  /** Is the share of failed rows, 0 to 1, above which the job stops; default 0.01. */
  readonly maxFailed?: number
  /** Plans rows whose images lie in one place once; default `false`. Up to 25 million different rows are remembered, in up to 768 MiB. */
  readonly unique?: boolean
  /** Says how workers fetch images of rows that are addresses: `contact` is who runs the job. Default: nothing is fetched from web servers. */
  readonly fetching?: Fetching
  /** Names the queue for people who look at the job, without its password; default: none. */
  readonly queue?: string
  /** Is told how many rows have been planned. */
  readonly onProgress?: (rows: number) => void
  /** Ends the making, which then rejects with the signal's reason. Asked for again, it begins anew. */
  readonly signal?: AbortSignal
}

const OPTIONS = {
  to: true,
  encoder: true,
  model: true,
  fetcher: true,
  dtype: true,
  rowsPerPart: true,
  maxFailed: true,
  unique: true,
  fetching: true,
  queue: true,
  onProgress: true,
  signal: true,
} satisfies OptionNames<CreateJobOptions>

const MAX_FAILED = 0.01

/**
 * Plans the rows of a source in parts. Rows stream through; memory holds some tens of megabytes, however many they are.
 *
 * @throws `JobError` `exists`, `empty`, `too-many`; `StorageError`, with `refused` for a place that does not keep two writers apart; RangeError for options that
 *   make no sense; what the source throws; the signal's reason
 */
export async function createJob(source: RowSource, options: CreateJobOptions): Promise<CreatedJob> {
  checkOptionNames(options, OPTIONS)
  const { to, encoder, model, fetching = {}, queue = null, onProgress, signal } = options
  const { dtype = 'float16', maxFailed = MAX_FAILED, unique = false } = options
  await using own = new JobFetcher(fetching)
  const measuring = { source, encoder, fetcher: options.fetcher ?? own, clock: systemClock }
  return await withPlace(to, async (storage) => {
    await assertFree(storage, signal)
    const rowsPerPart =
      options.rowsPerPart ??
      (await measureRowsPerPart(
        { ...measuring, signal: signal ?? new AbortController().signal },
        mostRowsPerPart(encoder.embeddingWidth, dtype),
      ))
    return await planJob({
      source,
      storage,
      identity: encoder.identity,
      width: encoder.embeddingWidth,
      model,
      settings: { dtype, rowsPerPart, maxFailed, unique },
      // What is not given is no part of it.
      fetching: JSON.parse(JSON.stringify(fetching)) as PlainRecord,
      queue,
      hash: rowHash,
      tryConditionalWrites: (place, ending) => tryConditionalWrites(place, { signal: ending }),
      onProgress,
      signal,
    })
  })
}

/** Throws `JobError` `exists` where a job lies here with its plan; `StorageError` `not-writable`; what the storage throws. */
export async function assertFree(storage: Storage, signal?: AbortSignal): Promise<void> {
  assertWritable(storage)
  await unplannedJobOrNull(storage, rowHash, signal)
}

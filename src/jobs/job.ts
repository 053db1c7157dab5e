/** Says what a job is: what is embedded by which model, in parts of how many rows. It is written once, and all that workers must agree on stands in it. */
import type { Identity } from '../encoder/types.js'
import type { PlainRecord } from '../plain-value.js'
import type { Storage } from '../storage/storage.js'
import { JobError } from './job-error.js'
import { JOB_KEY } from './keys.js'
import { readShared } from './shared-json.js'

/** Is how embeddings are kept in parts: of length 1, their own length beside them. */
export type PartDtype = 'float16' | 'float32'

/** Says how a job is done. */
export interface JobSettings {
  /** Is how embeddings are kept. */
  readonly dtype: PartDtype
  /** Counts the rows of a part; the last one may have fewer. */
  readonly rowsPerPart: number
  /** Is the share of failed rows above which the job stops. */
  readonly maxFailed: number
  /** Says that rows whose images lie in one place were planned once. */
  readonly unique: boolean
}

/** Is what `job.json` holds. */
export interface Job {
  readonly format: 1
  /** Is 16 hexadecimal digits. */
  readonly id: string
  /** Says when it was made, by the clock of the machine that made it. */
  readonly created: string
  /** Names the source for people, without a password. */
  readonly source: string
  /** Is the folder that the names of rows start from, where they are no addresses and no whole paths. */
  readonly base: string
  /** Says what all numbers of the job rest on: whoever computes others takes nothing. */
  readonly identity: Identity
  /** Counts the numbers of an embedding. */
  readonly width: number
  /** Says how the encoder is loaded. */
  readonly model: {
    /** Names the model, or is its path. */
    readonly source: string
    /** Are the options that it is loaded with. */
    readonly options: PlainRecord
  }
  /** Says how the job is done. */
  readonly settings: JobSettings
  /** Says how workers fetch images: who asks, and what is left alone. A platform's fetcher knows what it means. */
  readonly fetching: PlainRecord
  /** Names the queue for people, without a password; null where it has none of its own. */
  readonly queue: string | null
}

/** Throws `JobError` `not-found`, `damaged`; what the storage throws. */
export async function readJob(
  storage: Storage,
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<Job> {
  const job = await readJobOrNull(storage, options)
  if (job !== null) return job
  throw new JobError(
    'not-found',
    `There is no job in ${storage.label}: it has no ${JOB_KEY}. Make one with plumage job create.`,
  )
}

export async function readJobOrNull(
  storage: Storage,
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<Job | null> {
  const found = await readShared(storage, JOB_KEY, options)
  if (found === null) return null
  const job = found.value as unknown as Partial<Job>
  const isWhole =
    job.format === 1 &&
    /^[0-9a-f]{16}$/.test(String(job.id)) &&
    /^[0-9a-f]{64}$/.test(String(job.identity?.digest)) &&
    isCount(job.width) &&
    isCount(job.settings?.rowsPerPart) &&
    typeof job.base === 'string' &&
    typeof job.model?.source === 'string'
  if (isWhole) return job as Job
  throw new JobError(
    'damaged',
    `${storage.label}/${JOB_KEY} does not say what a job is${job.format === 1 ? '' : ` (its format is ${String(job.format)}, expected 1: a newer plumage wrote it)`}.`,
  )
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) > 0
}

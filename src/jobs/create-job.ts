/** Makes a job: what it is, then its plan. A creation that was interrupted goes on when the same is asked for again. */
import { differingIdentity } from '../encoder/identity-differences.js'
import type { PlainRecord } from '../plain-value.js'
import type { Storage } from '../storage/storage.js'
import { type Job, type JobSettings, readJobOrNull } from './job.js'
import { JobError } from './job-error.js'
import { JOB_KEY } from './keys.js'
import { newHexId, noRows, type Plan, readPlanOrNull, writePlan } from './plan.js'
import type { RowHash, SourceRow } from './row.js'
import { writeShared } from './shared-json.js'

/** Gives the rows of a source, one by one or in blocks, in the same order each time. */
export interface RowSource {
  /** Names it for people, without a password. */
  readonly label: string
  /** Is the folder that the names of rows start from, where they are no addresses and no whole paths. */
  readonly base: string
  /** Gives the rows, one by one or in blocks. */
  rows(signal: AbortSignal | undefined): AsyncIterable<SourceRow> | AsyncIterable<readonly SourceRow[]>
}

/** Says what the job computes. */
export type JobModel = Pick<Job, 'identity' | 'width' | 'model'>

export interface PlanJobParts extends JobModel {
  readonly source: RowSource
  readonly storage: Storage
  readonly settings: JobSettings
  readonly fetching?: PlainRecord | undefined
  /** Names the queue for people. */
  readonly queue: string | null
  readonly hash: RowHash
  /** Throws where two conditional writes of one object both succeed. */
  readonly tryConditionalWrites: (storage: Storage, signal: AbortSignal | undefined) => Promise<void>
  /** Is told how many rows have been planned. */
  readonly onProgress?: ((rows: number) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

/** Is a job that has been made. */
export interface CreatedJob {
  /** Says what it is. */
  readonly job: Job
  /** Says how many rows and parts it has. */
  readonly plan: Plan
}

/** A part and what is made of it are in memory whole: it has so many bytes of embeddings at most. */
const MOST_PART_BYTES = 2 ** 26
const MOST_PART_ROWS = 100_000

/** Bounds the rows of a part by the memory that its embeddings take. */
export function mostRowsPerPart(width: number, dtype: JobSettings['dtype']): number {
  const bytes = width * (dtype === 'float16' ? 2 : 4)
  return Math.max(1, Math.min(MOST_PART_ROWS, Math.floor(MOST_PART_BYTES / bytes)))
}

/**
 * @throws `JobError` `exists` where another job is there, `empty`, `too-many`, `unfit-storage`; RangeError for settings that make no sense; what source and storage throw
 */
export async function planJob(parts: PlanJobParts): Promise<CreatedJob> {
  const { source, storage, hash, settings, signal, onProgress } = parts
  checkSettings(settings, parts.width)
  const before = await unplannedJobOrNull(storage, hash, signal)
  // A source that has nothing, or cannot be read, leaves no job behind that would be in the way of the next try.
  await using rows = await BegunRows.of(source.rows(signal))
  if (before !== null) assertSameJob(before, parts)
  else await parts.tryConditionalWrites(storage, signal)
  const job = before ?? newJob(parts)
  if (before === null && (await writeShared(storage, JOB_KEY, job, null, { signal })) === null)
    throw new JobError('exists', `Another job was made in ${storage.label} meanwhile.`)
  const { rowsPerPart, unique } = job.settings
  const plan = await writePlan(rows.all(), storage, {
    round: 0,
    rowsPerPart,
    unique,
    hash,
    onProgress,
    signal,
  })
  return { job, plan }
}

type Rows = ReturnType<RowSource['rows']>

/** Is a source whose first rows have been read. Dispose of it. */
class BegunRows implements AsyncDisposable {
  readonly #first: SourceRow | readonly SourceRow[]
  readonly #rest: AsyncIterator<SourceRow | readonly SourceRow[]>

  private constructor(
    first: SourceRow | readonly SourceRow[],
    rest: AsyncIterator<SourceRow | readonly SourceRow[]>,
  ) {
    this.#first = first
    this.#rest = rest
  }

  /** Throws `JobError` `empty` where there are none; what the source throws. */
  static async of(rows: Rows): Promise<BegunRows> {
    const rest: AsyncIterator<SourceRow | readonly SourceRow[]> = rows[Symbol.asyncIterator]()
    for (;;) {
      const next = await rest.next()
      if (next.done === true) throw noRows()
      if (!Array.isArray(next.value) || next.value.length > 0) return new BegunRows(next.value, rest)
    }
  }

  /** Gives all rows, once. */
  all(): Rows {
    const [first, rest] = [this.#first, this.#rest]
    const all = async function* () {
      yield first
      for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value
    }
    return all() as Rows
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#rest.return?.()
  }
}

function newJob({ source, identity, width, model, settings, fetching = {}, queue }: PlanJobParts): Job {
  const created = new Date().toISOString()
  return {
    format: 1,
    id: newHexId(),
    created,
    source: source.label,
    base: source.base,
    identity,
    width,
    model,
    settings,
    fetching,
    queue,
  }
}

/**
 * Gives a job whose making was interrupted; null where there is none. Asked first, it spares whoever makes a job in a place that has one the reading of a source.
 *
 * @throws `JobError` `exists` where a job lies there with its plan; what the storage throws
 */
export async function unplannedJobOrNull(
  storage: Storage,
  hash: RowHash,
  signal?: AbortSignal,
): Promise<Job | null> {
  const job = await readJobOrNull(storage, { signal })
  if (job === null || (await readPlanOrNull(storage, 0, hash, { signal })) === null) return job
  throw exists(storage, job, ': go on with it by plumage worker, or choose another place')
}

function exists(storage: Storage, { id, source }: Job, why: string): JobError {
  return new JobError('exists', `There is a job in ${storage.label} already (${id}, of ${source})${why}.`)
}

/** Goes on with a job that has no plan yet, where it is the same. */
function assertSameJob(job: Job, { storage, source, identity }: PlanJobParts): void {
  if (job.source !== source.label)
    throw exists(storage, job, ' that was never planned: remove it, or choose another place')
  if (job.identity.digest === identity.digest) return
  const { found, expected } = differingIdentity(job.identity, identity)
  throw exists(
    storage,
    job,
    ` that was never planned, with ${found}, and not with ${expected}: remove it first`,
  )
}

function checkSettings({ dtype, rowsPerPart, maxFailed }: JobSettings, width: number): void {
  if (dtype !== 'float16' && dtype !== 'float32')
    throw new RangeError(`dtype is float16 or float32, not ${String(dtype)}.`)
  const most = mostRowsPerPart(width, dtype)
  if (!(Number.isSafeInteger(rowsPerPart) && rowsPerPart > 0 && rowsPerPart <= most))
    throw new RangeError(
      `rowsPerPart (--rows-per-part) is a whole number from 1 to ${most}, since a part is in memory whole; found ${rowsPerPart}.`,
    )
  if (!(maxFailed >= 0 && maxFailed <= 1))
    throw new RangeError(`maxFailed (--max-failed) is a share from 0 to 1, such as 0.01; found ${maxFailed}.`)
}

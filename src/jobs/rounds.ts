/** Reads the plans of all rounds of a job, and what became of each row: the last round that has a row says so. */
import type { Storage } from '../storage/storage.js'
import type { Job } from './job.js'
import { JobError } from './job-error.js'
import { partKey } from './keys.js'
import { type OpenPart, openPartOrNull } from './part-file.js'
import type { ResultRow } from './part-rows.js'
import { type Plan, PlanReader, readPlanOrNull } from './plan.js'
import type { RowHash } from './row.js'

interface Asking {
  readonly signal?: AbortSignal | undefined
}

/** Throws `JobError` `not-found` where there is no plan, `damaged`; what the storage throws. */
export async function readPlans(
  storage: Storage,
  hash: RowHash,
  options: Asking = {},
): Promise<readonly Plan[]> {
  const plans: Plan[] = []
  for (;;) {
    const plan = await readPlanOrNull(storage, plans.length, hash, options)
    if (plan === null) break
    plans.push(plan)
  }
  if (plans.length > 0) return plans
  throw new JobError(
    'not-found',
    `The job in ${storage.label} has no plan: run plumage job create again, which goes on where it was interrupted.`,
  )
}

/** Opens a part that must be there. Throws `JobError` `not-finished`, `damaged`; what the storage throws. */
async function openPart(
  storage: Storage,
  job: Job,
  { round }: Pick<Plan, 'round'>,
  part: number,
  options: Asking = {},
): Promise<OpenPart> {
  const key = partKey(round, part, job.identity.digest)
  const found = await openPartOrNull(storage, key, options)
  if (found !== null) return found
  throw new JobError(
    'not-finished',
    `Part ${part} of round ${round} is missing in ${storage.label}: run plumage worker until the job is done, and plumage job prove to see what is missing.`,
  )
}

/** Is the result of a job, of all rounds. */
export interface JobResult {
  readonly storage: Storage
  readonly job: Job
  readonly plans: readonly Plan[]
  readonly hash: RowHash
}

/** Says which parts of the first round are wanted: from one on, and up to one that is not. */
export interface PartRange extends Asking {
  readonly from?: number | undefined
  readonly to?: number | undefined
}

/**
 * Gives the rows of the first round from a part on, part by part, in the order of the source; a row that a later round has is that round's. Retries list rows in the
 * same order, so that all rounds are gone through side by side and nothing is remembered.
 */
export async function* resultParts(
  result: JobResult,
  {
    from = 0,
    to,
    embeddings = true,
    signal,
  }: PartRange & {
    readonly embeddings?: boolean
  } = {},
): AsyncGenerator<{ readonly part: number; readonly rows: readonly ResultRow[] }> {
  const { storage, job, plans } = result
  const [first, ...later] = plans
  if (first === undefined) return
  const retries = later.map((plan) => new RetriedRows(rowsOf(result, plan, { from, embeddings, signal })))
  for (let part = from; part < (to ?? first.parts); part++) {
    const open = await openPart(storage, job, first, part, { signal })
    const rows: ResultRow[] = []
    for await (const block of open.blocks({ embeddings })) rows.push(...block)
    for (const retried of retries)
      for await (const { row, result } of retried.of(part)) {
        if (rows[row]?.id !== result.id)
          throw new JobError(
            'damaged',
            `A retry in ${storage.label} replaces row ${row} of part ${part} by another one.`,
          )
        rows[row] = result
      }
    yield { part, rows }
  }
}

/** Gives the rows of a retry that replace rows of these parts of the first round, in their order. Throws as `resultParts`. */
export async function* retriedRows(
  result: JobResult,
  plan: Plan,
  { from = 0, to = Number.POSITIVE_INFINITY, signal }: PartRange,
): AsyncGenerator<ResultRow> {
  for await (const row of rowsOf(result, plan, { from, embeddings: true, signal })) {
    const [part = 0] = row.of ?? []
    if (part >= to) return
    if (part >= from) yield row
  }
}

/** Goes through the rows of a retry in their order. */
class RetriedRows {
  readonly #rows: AsyncGenerator<ResultRow>
  #next: ResultRow | null | undefined

  constructor(rows: AsyncGenerator<ResultRow>) {
    this.#rows = rows
  }

  /** Gives those that replace rows of this part; parts come in their order. */
  async *of(part: number): AsyncGenerator<{ readonly row: number; readonly result: ResultRow }> {
    for (;;) {
      this.#next ??= await this.#take()
      const of = this.#next?.of
      if (this.#next === null || this.#next === undefined || of === null || of === undefined || of[0] > part)
        return
      if (of[0] === part) yield { row: of[1], result: this.#next }
      this.#next = undefined
    }
  }

  async #take(): Promise<ResultRow | null> {
    const next = await this.#rows.next()
    return next.done === true ? null : next.value
  }
}

/** Begins with the part of the retry that has the first row of interest, and may have others before it. */
async function* rowsOf(
  result: JobResult,
  plan: Plan,
  { from, embeddings, signal }: Asking & { readonly from: number; readonly embeddings: boolean },
): AsyncGenerator<ResultRow> {
  for (let part = await firstPart(result, plan, from, signal); part < plan.parts; part++) {
    const open = await openPart(result.storage, result.job, plan, part, { signal })
    for await (const block of open.blocks({ embeddings })) yield* block
  }
}

/** Finds by halves the first part of a retry that does not end before this part of the first round. */
async function firstPart(
  { storage, hash }: JobResult,
  plan: Plan,
  from: number,
  signal: AbortSignal | undefined,
): Promise<number> {
  if (from === 0) return 0
  const reader = new PlanReader(storage, plan, hash)
  let [first, end] = [0, plan.parts]
  while (first < end) {
    const middle = (first + end) >> 1
    const [part = 0] = (await reader.rows(middle, signal)).at(-1)?.of ?? []
    if (part < from) first = middle + 1
    else end = middle
  }
  return first
}

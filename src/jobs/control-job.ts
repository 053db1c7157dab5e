/** Pauses, resumes and cancels a job, and plans its failed rows anew. */
import type { Storage } from '../storage/storage.js'
import { beginPass, beginRound } from './fill-queue.js'
import type { Job } from './job.js'
import { JobError } from './job-error.js'
import { type Plan, type PlannedRow, PlanReader, writePlan } from './plan.js'
import { readPlans, resultParts } from './rounds.js'
import type { RowHash } from './row.js'
import { changeState, type JobState } from './state.js'

interface Asking {
  readonly signal?: AbortSignal | undefined
}

/** Workers end the parts that they have, and take no others. Throws `JobError` `stopped` where the job does not run. */
export async function pauseJob(storage: Storage, options: Asking = {}): Promise<void> {
  const state = await changeState(
    storage,
    (before) =>
      before.status === 'running' || before.status === 'paused'
        ? { ...before, status: 'paused', reason: 'it was paused' }
        : null,
    options,
  )
  assertStatus(storage, state, 'paused')
}

/** Workers end. It can be resumed all the same: what was committed stays. */
export async function cancelJob(storage: Storage, options: Asking = {}): Promise<void> {
  await changeState(
    storage,
    (before) => ({ ...before, status: 'cancelled', reason: 'it was cancelled' }),
    options,
  )
}

/** Lets a job go on that was paused, cancelled or stopped, in whatever queue workers use then. */
export async function resumeJob(
  storage: Storage,
  {
    maxFailed,
    signal,
  }: {
    /** Replaces the share of failed rows above which the job stops. */
    readonly maxFailed?: number | undefined
    readonly signal?: AbortSignal | undefined
  } = {},
): Promise<void> {
  if (maxFailed !== undefined && !(maxFailed >= 0 && maxFailed <= 1))
    throw new RangeError(`maxFailed (--max-failed) is a share from 0 to 1, such as 0.05; found ${maxFailed}.`)
  await beginPass(storage)
  await changeState(
    storage,
    (before) => ({ status: 'running', reason: null, maxFailed: maxFailed ?? before.maxFailed }),
    { signal },
  )
}

function assertStatus(storage: Storage, { status, reason }: JobState, wanted: JobState['status']): void {
  if (status === wanted) return
  throw new JobError(
    'stopped',
    `The job in ${storage.label} is ${status}${reason === null ? '' : `: ${reason}`}.`,
  )
}

export interface RetryParts {
  readonly job: Job
  readonly storage: Storage
  readonly hash: RowHash
  /** Takes rows that failed with one of these codes; default: those whose failure may pass by itself. */
  readonly reasons?: readonly string[] | undefined
  /** Takes all failed rows. */
  readonly all?: boolean | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * Plans failed rows as another round, whose rows then replace them.
 *
 * @throws `JobError` `not-finished` where parts of earlier rounds are missing, `nothing-to-do` where no row failed so, `damaged`; what the storage throws
 */
export async function planRetry(parts: RetryParts): Promise<Plan> {
  const { job, storage, hash, signal } = parts
  const plans = await readPlans(storage, hash, { signal })
  const replaces: Record<string, number> = {}
  const codes = new Set<string>()
  const rows = retriedRows(parts, plans, replaces, codes)
  const first = await rows.next()
  if (first.done === true)
    throw new JobError(
      'nothing-to-do',
      `No row of the job in ${storage.label} failed ${parts.reasons === undefined ? 'in a way that may pass by itself: name reasons by --reason, or try --all' : `with ${parts.reasons.join(', ')}`}.${failedWith(codes)}`,
    )
  const all = async function* () {
    yield first.value
    yield* rows
  }
  const round = plans.length
  const plan = await writePlan(all(), storage, {
    round,
    rowsPerPart: job.settings.rowsPerPart,
    // It is complete when all rows have come.
    replaces,
    hash,
    signal,
  })
  await beginRound(storage, round)
  await changeState(storage, (before) => ({ ...before, status: 'running', reason: null }), { signal })
  return plan
}

function failedWith(codes: ReadonlySet<string>): string {
  return codes.size === 0 ? '' : ` Others failed with ${[...codes].sort().join(', ')}.`
}

async function* retriedRows(
  { job, storage, hash, reasons, all = false, signal }: RetryParts,
  plans: readonly Plan[],
  replaces: Record<string, number>,
  codes: Set<string>,
): AsyncGenerator<PlannedRow> {
  const [first] = plans
  if (first === undefined) return
  const reader = new PlanReader(storage, first, hash)
  for await (const { part, rows } of resultParts(
    { storage, job, plans, hash },
    { embeddings: false, signal },
  )) {
    const wanted = rows.flatMap(({ state, code, transient }, at) => {
      if (code !== null) codes.add(code)
      const isMeant = all || (reasons === undefined ? transient : reasons.includes(code ?? ''))
      return state === 'failed' && isMeant ? [{ at, code: code ?? '' }] : []
    })
    if (wanted.length === 0) continue
    const planned = await reader.rows(part, signal)
    for (const { at, code } of wanted) {
      const row = planned[at]
      if (row === undefined || row.id !== rows[at]?.id)
        throw new JobError('damaged', `Part ${part} in ${storage.label} has other rows than its plan.`)
      replaces[code] = (replaces[code] ?? 0) + 1
      yield { ...row, of: [part, at] }
    }
  }
}

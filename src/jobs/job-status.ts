/** Says how far a job is, as far as its workers have told. */
import { isRecord, parseJsonOrNull } from '../plain-value.js'
import type { Storage } from '../storage/storage.js'
import { readCursor } from './fill-queue.js'
import type { Job } from './job.js'
import { WORKERS_PREFIX } from './keys.js'
import { readPlans } from './rounds.js'
import type { RowHash } from './row.js'
import { addCounts, countOf, type JobStatus, readState, readTallies, takeCounts } from './state.js'

/** Is a worker that was heard of lately. */
export interface SeenWorker {
  /** Is what it calls itself. */
  readonly name: string
  /** Is how fast it was when it told last. */
  readonly rowsPerSecond: number
  /** Counts what it has embedded, or failed to. */
  readonly rows: number
}

/** Says how far a job is. */
export interface JobProgress {
  /** Says what the job is. */
  readonly job: Job
  /** Is `done` where all parts are told to be committed; `planning` where there is no plan yet. */
  readonly status: JobStatus | 'planning' | 'done'
  /** Says why it does not run, where it does not. */
  readonly reason: string | null
  /** Is the round that is worked on: 0, and then retries. */
  readonly round: number
  /** Counts the parts of the round. */
  readonly parts: number
  /** Counts those that are told to be committed: workers that died may have committed more. */
  readonly partsDone: number
  /** Counts the rows of the round. */
  readonly rows: number
  /** Counts those in parts that are told to be committed. */
  readonly rowsDone: number
  /** Counts failed rows of the round by their code. */
  readonly failed: Readonly<Record<string, number>>
  /** Counts the failed rows of all rounds that no retry has replaced, by their code. */
  readonly allFailed: Readonly<Record<string, number>>
  /** Are those that were heard of in the last two minutes. */
  readonly workers: readonly SeenWorker[]
  /** Is how fast they are together. */
  readonly rowsPerSecond: number
  /** Is null where nothing is done at the moment. */
  readonly secondsLeft: number | null
}

/** Whoever tells nothing for so long is not counted. */
const SEEN_MS = 120_000

/** Throws `JobError` `damaged`; what the storage throws. */
export async function jobStatusOf(
  storage: Storage,
  job: Job,
  hash: RowHash,
  {
    now,
    signal,
  }: {
    /** Is the time in milliseconds since 1970. */
    readonly now: number
    readonly signal?: AbortSignal | undefined
  },
): Promise<JobProgress> {
  const { status, reason } = await readState(storage, { signal })
  const plans = await readPlans(storage, hash, { signal }).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'not-found') return []
    throw error
  })
  const cursor = await readCursor(storage, { signal })
  const tallyOf = await readTallies(storage, { signal })
  const tally = tallyOf(cursor.round)
  const plan = plans[cursor.round]
  let allFailed: Readonly<Record<string, number>> = {}
  for (const { round, replaces } of plans)
    allFailed = takeCounts(addCounts(allFailed, tallyOf(round).failed), replaces)
  const isDone =
    plan !== undefined &&
    plans.length === cursor.round + 1 &&
    (tally.parts >= plan.parts || (cursor.pass > 0 && cursor.next >= plan.parts && cursor.missing === 0))
  const workers = await seenWorkers(storage, now, signal)
  const rowsPerSecond = workers.reduce((sum, worker) => sum + worker.rowsPerSecond, 0)
  const rowsDone = isDone ? plan.rows : Math.min(tally.rows, plan?.rows ?? 0)
  const left = (plan?.rows ?? 0) - rowsDone
  return {
    job,
    status: plan === undefined ? 'planning' : isDone ? 'done' : status,
    reason: isDone ? null : reason,
    round: cursor.round,
    parts: plan?.parts ?? 0,
    partsDone: isDone ? plan.parts : tally.parts,
    rows: plan?.rows ?? 0,
    rowsDone,
    failed: tally.failed,
    allFailed: Object.fromEntries(Object.entries(allFailed).filter(([, count]) => count > 0)),
    workers,
    rowsPerSecond,
    secondsLeft: isDone ? 0 : rowsPerSecond > 0 ? Math.ceil(left / rowsPerSecond) : null,
  }
}

export function failedCount({ allFailed }: JobProgress): number {
  return countOf(allFailed)
}

async function seenWorkers(
  storage: Storage,
  now: number,
  signal: AbortSignal | undefined,
): Promise<readonly SeenWorker[]> {
  const found: SeenWorker[] = []
  for await (const { key, modifiedMs } of storage.list({ prefix: WORKERS_PREFIX, signal })) {
    if (now - modifiedMs > SEEN_MS) continue
    const read = await storage.read(key, { signal })
    const told = read === null ? null : parseJsonOrNull(new TextDecoder().decode(read.bytes))
    if (!isRecord(told ?? undefined)) continue
    const { rowsPerSecond, rows } = told as Record<string, unknown>
    const name = key.slice(WORKERS_PREFIX.length, -'.json'.length)
    found.push({ name, rowsPerSecond: Number(rowsPerSecond ?? 0), rows: Number(rows ?? 0) })
  }
  return found
}

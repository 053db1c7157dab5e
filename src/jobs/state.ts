/** Says whether a job is to go on, and how far it is: what workers and those who watch share beside plan and parts. Proofs rest on none of it. */
import { isRecord, type PlainRecord } from '../plain-value.js'
import type { Storage } from '../storage/storage.js'
import { STATE_KEY, TALLY_KEY } from './keys.js'
import { changeShared, readShared } from './shared-json.js'

/** `stopped` is what failures did, the others people. */
export type JobStatus = 'running' | 'paused' | 'cancelled' | 'stopped'

export interface JobState {
  readonly status: JobStatus
  /** Says why, where it does not run. */
  readonly reason: string | null
  /** Replaces the job's own share of failed rows above which it stops; null where nobody has. */
  readonly maxFailed: number | null
}

const RUNNING: JobState = { status: 'running', reason: null, maxFailed: null }

interface Asking {
  readonly signal?: AbortSignal | undefined
}

export async function readState(storage: Storage, options: Asking = {}): Promise<JobState> {
  const found = await readShared(storage, STATE_KEY, options)
  return stateOf(found?.value ?? null)
}

function stateOf(value: PlainRecord | null): JobState {
  const known = (['running', 'paused', 'cancelled', 'stopped'] as const).find((one) => one === value?.status)
  return {
    status: known ?? 'running',
    reason: typeof value?.reason === 'string' ? value.reason : null,
    maxFailed: typeof value?.maxFailed === 'number' ? value.maxFailed : null,
  }
}

/** Changes the state; `change` gives null to leave it. Gives the state that is there then. */
export async function changeState(
  storage: Storage,
  change: (state: JobState) => JobState | null,
  options: Asking = {},
): Promise<JobState> {
  let now = RUNNING
  await changeShared(
    storage,
    STATE_KEY,
    (value) => {
      const before = stateOf(value)
      const after = change(before)
      now = after ?? before
      return after
    },
    options,
  )
  return now
}

/** Counts what workers have committed, as far as they have told: one that dies may take some with it. */
export interface Tally {
  readonly parts: number
  readonly rows: number
  /** Counts failed rows by their code. */
  readonly failed: Readonly<Record<string, number>>
}

export const NO_TALLY: Tally = { parts: 0, rows: 0, failed: {} }

export function addTallies(one: Tally, other: Tally): Tally {
  const failed = addCounts(one.failed, other.failed)
  return { parts: one.parts + other.parts, rows: one.rows + other.rows, failed }
}

type Counts = Readonly<Record<string, number>>

export function addCounts(one: Counts, other: Counts): Counts {
  const sum: Record<string, number> = { ...one }
  for (const [code, count] of Object.entries(other)) sum[code] = (sum[code] ?? 0) + count
  return sum
}

/** Takes away what a later round does anew. */
export function takeCounts(one: Counts, replaced: Counts): Counts {
  const negative = Object.entries(replaced).map(([code, count]) => [code, -count])
  return addCounts(one, Object.fromEntries(negative))
}

export function countOf(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0)
}

/** Reads what has been told of all rounds, and gives that of one. */
export async function readTallies(storage: Storage, options: Asking = {}): Promise<(round: number) => Tally> {
  const found = await readShared(storage, TALLY_KEY, options)
  return (round) => tallyOf(found?.value ?? null, round)
}

function tallyOf(value: PlainRecord | null, round: number): Tally {
  const found = value?.[String(round)]
  if (!isRecord(found)) return NO_TALLY
  const failed = isRecord(found.failed) ? (found.failed as Readonly<Record<string, number>>) : {}
  return { parts: Number(found.parts ?? 0), rows: Number(found.rows ?? 0), failed }
}

/** Adds to what has been told of a round, and gives the sum. */
export async function tell(
  storage: Storage,
  round: number,
  news: Tally,
  options: Asking = {},
): Promise<Tally> {
  let sum = NO_TALLY
  await changeShared(
    storage,
    TALLY_KEY,
    (value) => {
      sum = addTallies(tallyOf(value, round), news)
      return { ...value, [String(round)]: sum }
    },
    options,
  )
  return sum
}

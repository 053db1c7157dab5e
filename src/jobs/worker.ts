/**
 * Works on a job until it is done, or until it is told to stop: takes parts from the queue, embeds their rows, and commits each part by one write that only the first
 * can win. What it knows of the job it reads from storage; that the queue forgets, or that others do the same part, costs work and nothing else.
 */
import type { Clock } from '../clock.js'
import { differingIdentity } from '../encoder/identity-differences.js'
import { shortDigest } from '../encoder/short-digest.js'
import type { Storage } from '../storage/storage.js'
import { doCarefully, forgetCareful, isNotedCareful, noteCareful } from './careful.js'
import { encodeRows, type JobEncoder, mayBeOfImages } from './encode-rows.js'
import type { GivenBackReason, WorkerEvent } from './events.js'
import type { Fetcher } from './fetcher.js'
import { beginRound, fillQueue, readCursor } from './fill-queue.js'
import type { Job } from './job.js'
import { JobError } from './job-error.js'
import { partKey, planKey, triesKey } from './keys.js'
import { encodePart, type PartParts } from './part-file.js'
import { failuresOf, type ResultRow, resultOf } from './part-rows.js'
import { type PlannedRow, PlanReader, readPlanOrNull } from './plan.js'
import type { Claim, JobQueue, Task } from './queue.js'
import type { ReadAheadSettings } from './read-ahead.js'
import type { RowHash } from './row.js'
import { changeShared } from './shared-json.js'
import { addTallies, changeState, countOf, NO_TALLY, readState, type Tally, tell } from './state.js'
import { isTrouble } from './trouble.js'

/** Says what a worker is put together of. What is handed in stays the caller's. */
export interface WorkerParts {
  readonly job: Job
  readonly storage: Storage
  readonly queue: JobQueue
  readonly encoder: JobEncoder
  readonly fetcher: Fetcher
  readonly hash: RowHash
  readonly clock: Clock
  /** Names the worker in what it writes. */
  readonly name: string
  readonly onEvent?: ((event: WorkerEvent) => void) | undefined
  /** Tells the worker to stop: it gives its part back, within ten seconds. */
  readonly signal?: AbortSignal | undefined
  readonly limits?: Partial<WorkerLimits> | undefined
}

/** Holds the numbers that a worker goes by. */
export interface WorkerLimits {
  readonly ahead: ReadAheadSettings
  /** Is the share of rows whose failure may pass by itself above which a part is given back. */
  readonly transientShare: number
  /** After so many tries a part is committed with such failures all the same: they may be tried again by a retry. */
  readonly mostTries: number
  /** Is how long a part that is given back for them waits at first, and four times as long with each try. */
  readonly retryDelayMs: number
  /** So many workers a part kills before it is done range by range. */
  readonly carefulDeaths: number
  /** Is how long a worker that was told to stop goes on with a write that has begun. */
  readonly stopMs: number
  /** Is how long is waited where there is nothing to do, or where a service does not answer. */
  readonly idleMs: number
  /** Is how long a service may not answer until the worker gives up. */
  readonly troubleMs: number
  /** Is how often it is told how far the worker is. */
  readonly tellMs: number
  /** With fewer parts than this in the queue, more are put in. */
  readonly lowParts: number
  /** So many are put in at a time. */
  readonly chunkParts: number
}

export const WORKER_LIMITS: WorkerLimits = {
  ahead: { images: 32, bytes: 256 * 2 ** 20 },
  transientShare: 0.2,
  mostTries: 5,
  retryDelayMs: 30_000,
  carefulDeaths: 3,
  stopMs: 8000,
  idleMs: 5000,
  troubleMs: 600_000,
  tellMs: 15_000,
  lowParts: 1000,
  chunkParts: 2000,
}

/** Says how a worker ended: `done` where each part of the round is committed, else why not. */
export interface WorkerOutcome {
  /** Says how it ended. */
  readonly ended: 'done' | 'told-to-stop' | 'cancelled' | 'stopped'
  /** Says why the job stopped. */
  readonly reason: string | null
  /** Counts the parts that this worker committed. */
  readonly parts: number
  /** Counts their rows. */
  readonly rows: number
  /** Counts those of them that failed, by their code. */
  readonly failed: Readonly<Record<string, number>>
  /** Counts its parts that another had committed first. */
  readonly dropped: number
  /** Counts the parts that it gave back. */
  readonly givenBack: number
}

/** So many parts are taken between two looks at how many wait. */
const TAKES_PER_FILL = 8

/**
 * Throws `JobError` `other-identity` where the encoder computes other numbers than the job is made of, `not-found` where the plan is missing; `EngineError` where
 * the engine can do no more; `StorageError` and `QueueError` where a service did not answer for long.
 */
export async function runWorkerLoop(parts: WorkerParts): Promise<WorkerOutcome> {
  assertComputes(parts.job, parts.encoder)
  return await new Worker(parts).run()
}

/** Throws `JobError` `other-identity`. */
export function assertComputes(job: Job, { identity, embeddingWidth }: JobEncoder): void {
  if (identity.digest === job.identity.digest && embeddingWidth === job.width) return
  const { found, expected } = differingIdentity(identity, job.identity)
  throw new JobError(
    'other-identity',
    `This worker would compute with ${found}; the job is made with ${expected} (identity ${shortDigest(job.identity.digest)}). It takes nothing: ` +
      'numbers of the two cannot be mixed. Take the same release and files, and the precision of the job, or make another job.',
  )
}

class Worker {
  readonly #parts: WorkerParts
  readonly #limits: WorkerLimits
  readonly #stop: AbortSignal
  /** Is aborted a while after the stop, for writes that have begun by then. */
  readonly #late = new AbortController()
  readonly #plans = new Map<number, PlanReader>()
  #committed: Tally = NO_TALLY
  /** Is what the others have not been told yet, of one round. */
  #untold: { readonly round: number; readonly tally: Tally } = { round: 0, tally: NO_TALLY }
  #toldAt: number
  /** Says that the part at hand is done carefully. */
  #isCareful = false
  #dropped = 0
  #givenBack = 0
  #takes = 0

  constructor(parts: WorkerParts) {
    this.#parts = parts
    this.#limits = { ...WORKER_LIMITS, ...parts.limits }
    this.#stop = parts.signal ?? new AbortController().signal
    this.#toldAt = parts.clock.monotonic()
  }

  async run(): Promise<WorkerOutcome> {
    const { clock } = this.#parts
    const expire = () => {
      clock.sleep(this.#limits.stopMs, this.#late.signal).then(
        () => this.#late.abort(this.#stop.reason),
        () => {},
      )
    }
    this.#stop.addEventListener('abort', expire, { once: true })
    try {
      return await this.#work()
    } finally {
      this.#stop.removeEventListener('abort', expire)
      this.#late.abort(new Error('the worker has ended'))
    }
  }

  async #work(): Promise<WorkerOutcome> {
    let troubledSince: number | null = null
    for (;;) {
      try {
        if (this.#stop.aborted) return await this.#outcome('told-to-stop', null)
        const ended = await this.#step()
        if (ended !== null) return ended
        troubledSince = null
      } catch (error) {
        if (this.#stop.aborted) return await this.#outcome('told-to-stop', null)
        if (!isTrouble(error)) throw error
        const now = this.#parts.clock.monotonic()
        troubledSince ??= now
        if (now - troubledSince >= this.#limits.troubleMs) throw error
        const { idleMs: retryMs } = this.#limits
        this.#tellEvent({ kind: 'trouble', reason: messageOf(error), retryMs })
        await this.#sleep(retryMs)
      }
    }
  }

  /** Does one part, or waits a while; gives how the work ended where it did. */
  async #step(): Promise<WorkerOutcome | null> {
    const { storage, queue } = this.#parts
    const signal = this.#stop
    const { status, reason } = await readState(storage, { signal })
    if (status === 'cancelled' || status === 'stopped') return await this.#outcome(status, reason)
    if (status === 'paused') {
      this.#tellEvent({ kind: 'waiting', why: 'paused', reason: reason ?? 'the job is paused' })
      await this.#sleep(this.#limits.idleMs)
      return null
    }
    if (this.#takes++ % TAKES_PER_FILL === 0 && (await this.#fill()) === 'complete')
      return await this.#outcome('done', null)
    const claim = await queue.take({ signal })
    if (claim !== null) await this.#doClaim(claim)
    else {
      // Nothing is left for now: whether all is done is looked at before the next take.
      this.#takes = 0
      const { waiting, active } = await queue.counts({ signal })
      const kept = `${waiting} ${waiting === 1 ? 'part is' : 'parts are'} kept back until the next try, since too much failed`
      const reason = waiting > 0 ? kept : 'others have the last parts'
      if (waiting + active > 0) this.#tellEvent({ kind: 'waiting', why: 'no-parts', reason })
    }
    return null
  }

  async #fill(): Promise<'complete' | 'filled' | 'waiting'> {
    const { storage, queue, job } = this.#parts
    const signal = this.#stop
    const { round } = await readCursor(storage, { signal })
    const { plan } = await this.#plan(round)
    const filled = await fillQueue(storage, queue, {
      round,
      parts: plan.parts,
      identity: job.identity.digest,
      signal,
      low: this.#limits.lowParts,
      chunk: this.#limits.chunkParts,
    })
    if (filled === 'filled') this.#tellEvent({ kind: 'refilled', round })
    if (filled !== 'complete' || !(await this.#hasPlan(round + 1))) return filled
    // Who planned it may have died before he said so.
    await beginRound(storage, round + 1)
    return 'waiting'
  }

  async #hasPlan(round: number): Promise<boolean> {
    return (await this.#parts.storage.look(planKey(round), { signal: this.#stop })) !== null
  }

  async #plan(round: number): Promise<PlanReader> {
    const known = this.#plans.get(round)
    if (known !== undefined) return known
    const { storage, hash } = this.#parts
    const plan = await readPlanOrNull(storage, round, hash, { signal: this.#stop })
    if (plan === null)
      throw new JobError(
        'not-found',
        `The job in ${storage.label} has no plan of round ${round}: run plumage job create again, which goes on where it was interrupted.`,
      )
    const reader = new PlanReader(storage, plan, hash)
    this.#plans.set(round, reader)
    return reader
  }

  /** The part is committed, dropped or given back in the end, unless the claim was lost. */
  async #doClaim(claim: Claim): Promise<void> {
    const { task } = claim
    const started = this.#parts.clock.monotonic()
    const signal = AbortSignal.any([this.#stop, claim.lost])
    try {
      const found = await this.#resultOf(claim, signal)
      if (found === 'known') {
        this.#dropped++
        this.#tellEvent({ kind: 'partDropped', task })
        await claim.done()
      } else if (found === null) {
        await this.#giveBack(claim, 'busy', this.#limits.idleMs, 'another worker does it')
      } else await this.#keep(claim, found, started, signal)
    } catch (error) {
      if (claim.lost.aborted)
        this.#tellEvent({ kind: 'claimLost', task, reason: messageOf(claim.lost.reason) })
      else if (this.#stop.aborted)
        await this.#giveBack(claim, 'stopping', 0, 'the worker stops').catch(() => {})
      else if (isTrouble(error)) {
        await this.#giveBack(claim, 'trouble', this.#limits.idleMs, messageOf(error)).catch(() => {})
        throw error
      } else {
        await this.#noteError(task, error).catch(() => {})
        await this.#giveBack(claim, 'error', this.#limits.idleMs, messageOf(error)).catch(() => {})
        throw error
      }
    }
  }

  /** Gives `known` where the part is committed, null where another does it. */
  async #resultOf(claim: Claim, signal: AbortSignal): Promise<readonly ResultRow[] | 'known' | null> {
    const { storage, job } = this.#parts
    const { task, deaths } = claim
    const key = partKey(task.round, task.part, job.identity.digest)
    if ((await storage.look(key, { signal })) !== null) return 'known'
    const reader = await this.#plan(task.round)
    const rows = await reader.rows(task.part, signal)
    this.#tellEvent({ kind: 'partTaken', task, rows: rows.length, deaths })
    const embed = (some: readonly PlannedRow[]) => this.#embed(some, task, signal)
    this.#isCareful =
      deaths >= this.#limits.carefulDeaths || (await isNotedCareful(storage, task.round, task.part, signal))
    if (!this.#isCareful) return await embed(rows)
    return await doCarefully({
      ...this.#fileParts(task, reader),
      storage,
      rows,
      signal,
      embed,
      onRange: (from, to) => this.#tellEvent({ kind: 'carefulRange', task, from, to }),
      onKilled: (row) => this.#tellEvent({ kind: 'rowKilled', task, row }),
    })
  }

  #fileParts({ part }: Task, { plan }: PlanReader): PartParts {
    const { job, hash, name } = this.#parts
    return { job, plan, part, writer: name, hash }
  }

  async #embed(rows: readonly PlannedRow[], task: Task, signal: AbortSignal): Promise<readonly ResultRow[]> {
    const { encoder, fetcher, job } = this.#parts
    return await encodeRows(rows, {
      encoder,
      fetcher,
      ahead: this.#limits.ahead,
      signal,
      keep: (row, outcome) => {
        const result = resultOf(row, outcome, job.settings.dtype)
        const { id, name, code, reason } = result
        this.#tellEvent({ kind: 'rowDone', task, failed: code !== null })
        if (code !== null) this.#tellEvent({ kind: 'rowFailed', task, id, name, code, reason: reason ?? '' })
        return result
      },
    })
  }

  /** Commits a part, or gives it back where too much of it may pass by itself. */
  async #keep(claim: Claim, rows: readonly ResultRow[], started: number, signal: AbortSignal): Promise<void> {
    const { storage, job, clock } = this.#parts
    const { task } = claim
    const { round, part } = task
    if (await this.#isGivenBack(claim, rows, signal)) return
    signal.throwIfAborted()
    const bytes = encodePart(rows, this.#fileParts(task, await this.#plan(round)))
    const key = partKey(round, part, job.identity.digest)
    // A write that has begun is let end, for a while: it is harmless whoever has the claim.
    const { written } = await storage.write(key, bytes, { ifAbsent: true, signal: this.#late.signal })
    if (written) {
      const failed = failuresOf(rows)
      const news = { parts: 1, rows: rows.length, failed }
      await this.#note(round, news)
      const seconds = (clock.monotonic() - started) / 1000
      this.#tellEvent({
        kind: 'partCommitted',
        task,
        rows: rows.length,
        failed,
        seconds,
        bytes: bytes.length,
      })
    } else {
      this.#dropped++
      this.#tellEvent({ kind: 'partDropped', task })
    }
    await claim.done()
    if (this.#isCareful) await forgetCareful(storage, round, part)
    await this.#tellTally(false)
  }

  async #isGivenBack(claim: Claim, rows: readonly ResultRow[], signal: AbortSignal): Promise<boolean> {
    const { storage } = this.#parts
    const { transientShare, mostTries, retryDelayMs } = this.#limits
    const passing = rows.filter(({ transient }) => transient)
    if (passing.length <= transientShare * rows.length) return false
    let tries = 0
    const key = triesKey(claim.task.round, claim.task.part)
    await changeShared(
      storage,
      key,
      (value) => {
        tries = Number(value?.tries ?? 0) + 1
        return { ...value, tries }
      },
      { signal },
    )
    if (tries >= mostTries) return false
    const delayMs = retryDelayMs * 4 ** (tries - 1)
    const codes = Object.entries(failuresOf(passing)).map(([code, count]) => `${count} ${code}`)
    const reason = `${passing.length} of ${rows.length} rows failed in ways that may pass (${codes.join(', ')}); try ${tries} of ${mostTries}`
    await this.#giveBack(claim, 'transient', delayMs, reason)
    return true
  }

  /** A part that ends one worker after the other by errors is done carefully, as one that kills them. */
  async #noteError({ round, part }: Task, error: unknown): Promise<void> {
    if (!mayBeOfImages(error)) return
    const { storage } = this.#parts
    let errors = 0
    await changeShared(storage, triesKey(round, part), (value) => {
      errors = Number(value?.errors ?? 0) + 1
      return { ...value, errors }
    })
    if (errors < this.#limits.carefulDeaths) return
    const { rows } = await (await this.#plan(round)).part(part)
    await noteCareful(storage, round, part, rows)
  }

  async #giveBack(claim: Claim, why: GivenBackReason, delayMs: number, reason: string): Promise<void> {
    this.#givenBack++
    this.#tellEvent({ kind: 'partGivenBack', task: claim.task, why, delayMs, reason })
    await claim.giveBack({ delayMs })
  }

  async #note(round: number, news: Tally): Promise<void> {
    if (round !== this.#untold.round) {
      await this.#tellTally(true)
      this.#untold = { round, tally: NO_TALLY }
    }
    this.#committed = addTallies(this.#committed, news)
    this.#untold = { round, tally: addTallies(this.#untold.tally, news) }
  }

  /** Tells all workers what this one has committed, and stops the job where too much of it fails. */
  async #tellTally(isLast: boolean): Promise<void> {
    const { storage, clock } = this.#parts
    const { round, tally } = this.#untold
    const now = clock.monotonic()
    const isDue = countOf(tally.failed) > 0 || now - this.#toldAt >= this.#limits.tellMs
    if (tally.parts === 0 || (!isLast && !isDue)) return
    const sum = await tell(storage, round, tally)
    this.#untold = { round, tally: NO_TALLY }
    this.#toldAt = now
    // What is tried again failed before.
    if (round === 0) await this.#stopWhereMostFail(sum)
  }

  async #stopWhereMostFail({ rows, failed }: Tally): Promise<void> {
    const { storage, job } = this.#parts
    const { plan } = await this.#plan(0)
    const count = countOf(failed)
    // Where all are done there is nothing to stop.
    if (rows >= plan.rows) return
    await changeState(storage, ({ status, maxFailed: raised }) => {
      const maxFailed = raised ?? job.settings.maxFailed
      // Of a few rows nothing can be said about all.
      if (status !== 'running' || count <= maxFailed * Math.max(rows, Math.min(plan.rows, FEW_ROWS)))
        return null
      const codes = Object.entries(failed).map(([code, found]) => `${found} ${code}`)
      const reason =
        `${count} of the first ${rows} rows failed (${codes.join(', ')}), more than ${maxFailed * 100} %. ` +
        'Mend what they failed of, and resume the job with a higher --max-failed.'
      return { status: 'stopped', reason, maxFailed: raised }
    })
  }

  async #outcome(ended: WorkerOutcome['ended'], reason: string | null): Promise<WorkerOutcome> {
    await this.#tellTally(true).catch(() => {})
    return { ended, reason, ...this.#committed, dropped: this.#dropped, givenBack: this.#givenBack }
  }

  /** A worker that is told to stop wakes up. */
  async #sleep(ms: number): Promise<void> {
    await this.#parts.clock.sleep(ms, this.#stop).catch(() => {})
  }

  #tellEvent(event: WorkerEvent): void {
    this.#parts.onEvent?.(event)
  }
}

const FEW_ROWS = 10_000

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

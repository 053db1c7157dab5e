/** Is a part that this process has from BullMQ: its lock is renewed until it is done, given back or lost. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Job } from 'bullmq'
import type { Claim, Task } from '../../../jobs/queue.js'
import { QueueError } from '../../../jobs/queue-error.js'
import { type AskOptions, askAgain } from './ask-again.js'

/** Is a part as BullMQ keeps it. */
export interface QueuedTask extends Task {
  /** Is when a part that was kept back is to be taken up, by the server's clock, in milliseconds since 1970; absent where clocks agree. */
  readonly dueMs?: number
}

export interface ClaimOptions extends AskOptions {
  readonly lockMs: number
  /** Was the moment when the part was asked for, by `performance.now()`. */
  readonly since: number
  /** Gives the part back, which nobody is to have for so long. */
  readonly keepBack: (delayMs: number) => Promise<unknown>
  /** Is called once nothing more can come of it. */
  readonly ended: (claim: BullmqClaim) => void
}

export class BullmqClaim implements Claim {
  readonly task: Task
  readonly deaths: number
  readonly #lost = new AbortController()
  readonly #job: Job<QueuedTask>
  readonly #token: string
  readonly #options: ClaimOptions
  readonly #renewal: NodeJS.Timeout
  #expiry: NodeJS.Timeout
  #isEnding = false

  constructor(job: Job<QueuedTask>, token: string, options: ClaimOptions) {
    const { round, part, pass } = job.data
    this.task = { round, part, pass }
    // BullMQ counts a stall when it takes a part from a worker that was silent for too long, and at no other time: given back, a part counts none.
    this.deaths = job.stalledCounter
    this.#job = job
    this.#token = token
    this.#options = options
    this.#renewal = setInterval(() => void this.#renew(), options.lockMs / RENEWALS_A_LOCK)
    this.#expiry = this.#expireAfter(options.since)
  }

  get lost(): AbortSignal {
    return this.#lost.signal
  }

  async done(): Promise<void> {
    await this.#end(() => this.#job.moveToCompleted(null, this.#token, false), this.#options.unavailableMs)
  }

  async giveBack({ delayMs = 0 }: { readonly delayMs?: number } = {}): Promise<void> {
    await this.#end(
      () => (delayMs > 0 ? this.#options.keepBack(delayMs) : this.#job.moveToWait(this.#token)),
      Math.min(this.#options.unavailableMs, GIVE_BACK_MS),
    )
  }

  /** Gives the part back although the worker did not ask for it, who is told why. */
  async surrender(reason: QueueError): Promise<void> {
    const givenBack = this.giveBack()
    this.#lost.abort(reason)
    await givenBack
  }

  /** The lock is renewed meanwhile, since a server that does not answer may do so before it expires. */
  async #end(move: () => Promise<unknown>, unavailableMs: number): Promise<void> {
    if (this.#isEnding || this.#lost.signal.aborted) return
    this.#isEnding = true
    const { label } = this.#options
    const moved = askAgain(
      () =>
        move().catch((error: { readonly code?: unknown }) => {
          // It is in other hands, or an earlier try took effect and its answer was lost.
          if (!NOT_OURS.has(error.code)) throw error
        }),
      { label, unavailableMs },
    )
    const inTime = new AbortController()
    const late = sleep(unavailableMs, undefined, { signal: inTime.signal }).then(() => {
      throw new QueueError('unavailable', `The queue ${label} does not answer.`)
    })
    try {
      await Promise.race([moved, late])
    } finally {
      inTime.abort()
      this.#stop()
    }
  }

  /** Tells the worker that the part is no longer its own. */
  #lose(what: string): void {
    this.#stop()
    this.#lost.abort(new QueueError('unavailable', `The queue ${this.#options.label} ${what}.`))
  }

  #stop(): void {
    clearInterval(this.#renewal)
    clearTimeout(this.#expiry)
    this.#options.ended(this)
  }

  async #renew(): Promise<void> {
    const begun = performance.now()
    // The next renewal tries again what the connection lost; time decides whether one comes too late.
    const renewed = await this.#job.extendLock(this.#token, this.#options.lockMs).catch(() => null)
    if (this.#isEnding || this.#lost.signal.aborted || renewed === null) return
    if (Number(renewed) === 1) {
      clearTimeout(this.#expiry)
      this.#expiry = this.#expireAfter(begun)
    } else this.#lose('has forgotten this part, or given it to another worker')
  }

  /** The server's time runs from when it heard of us, which is later than when we asked. */
  #expireAfter(since: number): NodeJS.Timeout {
    const left = since + this.#options.lockMs - performance.now()
    return setTimeout(() => {
      if (!this.#isEnding) this.#lose('was not reached in time, and may give this part to another worker')
    }, left)
  }
}

/** BullMQ's numbers for: there is no such part, it is not locked, it is not with a worker, another worker has locked it. */
const NOT_OURS: ReadonlySet<unknown> = new Set([-1, -2, -3, -6])
const RENEWALS_A_LOCK = 4
/** A worker that was told to stop is to be gone within ten seconds. */
const GIVE_BACK_MS = 5000

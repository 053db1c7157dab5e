/**
 * Hands the parts of a job to workers by BullMQ, on Redis or PostgreSQL. Parts are fetched by hand: BullMQ's own loop knows neither how to give one back nor how to
 * stop in time. What stalls is only counted: whether a part is taken up again is the job's to decide.
 */
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { IQueueBackend, Job, Queue, Worker } from 'bullmq'
import type { Claim, JobQueue, QueueCounts, Task } from '../../../jobs/queue.js'
import { QueueError } from '../../../jobs/queue-error.js'
import { type AskOptions, askAgain } from './ask-again.js'
import { BullmqClaim, type QueuedTask } from './bullmq-claim.js'
import { loadBullmq } from './load-queue-packages.js'
import type { QueueServer } from './queue-server.js'

export interface BullmqQueueOptions {
  readonly label: string
  readonly lockMs: number
  readonly checkMs: number
  readonly waitMs: number
  readonly unavailableMs: number
  readonly clockMs: number
}

type PartQueue = Queue<QueuedTask, null, string, QueuedTask, null, string, IQueueBackend>
type PartWorker = Worker<QueuedTask, null, string, IQueueBackend>

interface Asked {
  readonly signal?: AbortSignal | undefined
}

export class BullmqQueue implements JobQueue {
  readonly label: string
  readonly #jobId: string
  readonly #server: QueueServer
  readonly #options: BullmqQueueOptions
  readonly #queue: PartQueue
  readonly #worker: PartWorker
  readonly #claims = new Set<BullmqClaim>()
  readonly #id = randomUUID()
  #taken = 0
  #clockTimer: NodeJS.Timeout | undefined
  /** Is why nothing more can be asked of it. */
  #end: QueueError | null = null

  private constructor(jobId: string, server: QueueServer, options: BullmqQueueOptions) {
    const { Queue, Worker } = loadBullmq()
    const { backend, connection } = server
    const shared = { connection, prefix: 'plumage' }
    this.label = options.label
    this.#jobId = jobId
    this.#server = server
    this.#options = options
    // Nobody reads the events that it writes.
    this.#queue = new Queue<QueuedTask, null, string, QueuedTask, null, string, IQueueBackend>(
      `job-${jobId}`,
      { ...shared, streams: { events: { maxLen: 0 } } },
      backend,
    )
    this.#worker = new Worker<QueuedTask, null, string, IQueueBackend>(
      `job-${jobId}`,
      null,
      {
        ...shared,
        autorun: false,
        lockDuration: options.lockMs,
        stalledInterval: options.checkMs,
        maxStalledCount: NEVER_TOO_MANY,
      },
      backend,
    )
    // Each call that fails says so itself.
    this.#queue.on('error', () => {})
    this.#worker.on('error', () => {})
  }

  /** Resolves once it can be asked. Throws `QueueError`; the signal's reason. */
  static async open(
    jobId: string,
    server: QueueServer,
    options: BullmqQueueOptions,
    signal?: AbortSignal,
  ): Promise<BullmqQueue> {
    // BullMQ keeps the failure of a first connection for good, and so all is made anew.
    const queue = await askAgain(
      async () => {
        const made = new BullmqQueue(jobId, server, options)
        try {
          await Promise.all([made.#queue.waitUntilReady(), made.#worker.waitUntilReady()])
          return made
        } catch (error) {
          await made.#close()
          throw error
        }
      },
      { ...options, signal },
    )
    // Whoever cleared it may have died before it was let run again.
    if (await queue.#ask(() => queue.#queue.isPaused(), signal)) await queue.#ask(() => queue.#queue.resume())
    await queue.#worker.startStalledCheckTimer()
    queue.#watchClock()
    return queue
  }

  async add(tasks: readonly Task[], { signal }: Asked = {}): Promise<void> {
    for (let start = 0; start < tasks.length; start += ADDED_AT_ONCE) {
      const some = tasks.slice(start, start + ADDED_AT_ONCE).map((task) => ({
        name: 'part',
        data: task,
        opts: { jobId: this.#keyOf(task), removeOnComplete: true, removeOnFail: true },
      }))
      await this.#ask(() => this.#queue.addBulk(some), signal)
    }
  }

  async take({ signal }: Asked = {}): Promise<Claim | null> {
    const end = performance.now() + this.#options.waitMs
    for (let pauseMs = 20; ; pauseMs = Math.min(pauseMs * 2, LOOK_AGAIN_MS)) {
      const claim = await this.#ask(() => this.#takeNow(), signal)
      if (claim !== null && (signal?.aborted || this.#end !== null)) await claim.giveBack()
      this.#assertOpen(signal)
      const leftMs = end - performance.now()
      if (claim !== null || leftMs <= 0) return claim
      await sleep(Math.min(pauseMs, leftMs), undefined, signal ? { signal } : {}).catch(() =>
        this.#assertOpen(signal),
      )
    }
  }

  async counts({ signal }: Asked = {}): Promise<QueueCounts> {
    const counts = await this.#ask(() => this.#queue.getJobCounts('waiting', 'delayed', 'active'), signal)
    const { waiting = 0, delayed = 0, active = 0 } = counts
    return { waiting: waiting + delayed, active }
  }

  async clear(): Promise<void> {
    await this.#ask(() => this.#queue.obliterate({ force: true }))
    // It was paused for that.
    await this.#ask(() => this.#queue.resume())
  }

  /** Gives back what is still here, and waits no longer than a few seconds for what does not answer. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stop(new QueueError('refused', `The queue ${this.label} is closed. Open it again.`))
  }

  async #takeNow(): Promise<BullmqClaim | null> {
    const token = `${this.#id}:${this.#taken++}`
    const since = performance.now()
    const job = await this.#worker.getNextJob(token, { block: false })
    if (job === undefined) {
      await this.#takeUpDue()
      return null
    }
    const claim = new BullmqClaim(job, token, {
      ...this.#options,
      since,
      ended: (ended) => this.#claims.delete(ended),
      keepBack: (delayMs) => this.#keepBack(job, delayMs, token),
    })
    this.#claims.add(claim)
    const earlyMs = this.#earlyMs(job.data)
    if (earlyMs <= 0) return claim
    await claim.giveBack({ delayMs: earlyMs })
    return null
  }

  /** BullMQ's own call reckons with this machine's clock, by which others would wait for an hour for a worker that is an hour ahead. */
  async #keepBack(job: Job<QueuedTask>, delayMs: number, token: string): Promise<void> {
    const nowMs = Math.round(this.#serverNow())
    if (this.#server.dueParts !== null) await job.updateData({ ...job.data, dueMs: nowMs + delayMs })
    await this.#worker.backend.moveToDelayed(String(job.id), nowMs, delayMs, token, { skipAttempt: true })
  }

  /** BullMQ takes up what is kept back once its time has come by the clock of whoever asks: where that is ahead, it does so too early. Says by how much. */
  #earlyMs({ dueMs = 0 }: QueuedTask): number {
    return this.#server.aheadMs() > APART_MS ? dueMs - this.#serverNow() : 0
  }

  #serverNow(): number {
    return Date.now() - this.#server.aheadMs()
  }

  /** What was kept back is taken up by BullMQ once its time has come by the clock of whoever asks: where that is behind, it is done here by the server's. */
  async #takeUpDue(): Promise<void> {
    const { dueParts, aheadMs } = this.#server
    if (dueParts === null || aheadMs() > -APART_MS) return
    for (const id of await dueParts(this.#queue.toKey('delayed'), this.#serverNow())) {
      const job = await this.#queue.getJob(id)
      // Another worker may have done so meanwhile.
      await job?.promote().catch(() => {})
    }
  }

  /** Locks that rest on clocks are only taken and renewed while the clocks agree. */
  #watchClock(): void {
    this.#clockTimer = setInterval(() => {
      this.#server.checkClock().catch((error: unknown) => {
        if (error instanceof QueueError && error.code === 'clock') void this.#stop(error)
      })
    }, this.#options.clockMs)
  }

  async #stop(reason: QueueError): Promise<void> {
    if (this.#end !== null) return
    this.#end = reason
    clearInterval(this.#clockTimer)
    await Promise.allSettled([...this.#claims].map((claim) => claim.surrender(reason)))
    await this.#close()
    this.#server.end()
  }

  /** BullMQ's own closing has no end where the server does not answer. */
  async #close(): Promise<void> {
    const closing = Promise.allSettled([this.#worker.close(true), this.#queue.close()])
    await Promise.race([closing, sleep(CLOSE_MS, undefined, { ref: false })])
  }

  #ask<T>(ask: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const options: AskOptions = { ...this.#options, signal }
    return askAgain(async () => {
      this.#assertOpen(signal)
      return ask()
    }, options)
  }

  #assertOpen(signal?: AbortSignal): void {
    signal?.throwIfAborted()
    if (this.#end !== null) throw this.#end
  }

  #keyOf({ round, part, pass }: Task): string {
    return `${this.#jobId}-${round}-${part}-${pass}`
  }
}

/** So many go in one command, which holds up no other worker for long. */
const ADDED_AT_ONCE = 1000
const LOOK_AGAIN_MS = 500
/** A clock that is less ahead or behind costs no more than that. */
const APART_MS = 1000
const CLOSE_MS = 3000
/** PostgreSQL counts in 32 bits. */
const NEVER_TOO_MANY = 1_000_000_000

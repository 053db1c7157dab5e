/**
 * Keeps queues in memory, for workers of one process: for tests, and beside which the queues on servers are judged by one contract. Locks expire on a clock that is
 * handed in, and a worker can be killed.
 */
import type { Claim, JobQueue, QueueCounts, Task } from './queue.js'
import { QueueError } from './queue-error.js'

export interface MemoryQueuesOptions {
  /** Tells the time in milliseconds, for locks and delays; default: this process's own clock. */
  readonly now?: () => number
  /** Is how long a claim is kept for a worker of which nothing is heard any more; default 30,000. */
  readonly lockMs?: number
  /** Is how long `take` waits where there is nothing, by this process's own clock; default 1,000. */
  readonly waitMs?: number
}

/** Is what the server is for other queues: it outlives its workers, and each of them opens a queue of its own. */
export class MemoryQueues {
  readonly #jobs = new Map<string, Map<string, Kept>>()
  readonly #options: Required<MemoryQueuesOptions>

  constructor({ now = () => performance.now(), lockMs = 30_000, waitMs = 1000 }: MemoryQueuesOptions = {}) {
    this.#options = { now, lockMs, waitMs }
  }

  /** Opens the queue of a job for one worker. */
  open(jobId: string): MemoryQueue {
    const tasks = this.#jobs.get(jobId) ?? new Map<string, Kept>()
    this.#jobs.set(jobId, tasks)
    return new MemoryQueue(tasks, this.#options)
  }

  /** Forgets everything, as a server does whose memory is lost. */
  flush(): void {
    for (const tasks of this.#jobs.values()) forget(tasks)
  }
}

export class MemoryQueue implements JobQueue {
  readonly label = 'memory'
  readonly #tasks: Map<string, Kept>
  readonly #options: Required<MemoryQueuesOptions>
  readonly #worker: Worker = { endedAt: null }

  constructor(tasks: Map<string, Kept>, options: Required<MemoryQueuesOptions>) {
    this.#tasks = tasks
    this.#options = options
  }

  async add(tasks: readonly Task[], { signal }: { readonly signal?: AbortSignal | undefined } = {}) {
    this.#assertOpen()
    signal?.throwIfAborted()
    for (const task of tasks) {
      const key = keyOf(task)
      if (!this.#tasks.has(key)) this.#tasks.set(key, { task, deaths: 0, readyAt: 0, claim: null })
    }
  }

  async take({ signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<Claim | null> {
    const end = performance.now() + this.#options.waitMs
    while (true) {
      signal?.throwIfAborted()
      this.#assertOpen()
      const now = this.#expire()
      for (const [key, kept] of this.#tasks)
        if (kept.claim === null && kept.readyAt <= now) return this.#claim(key, kept)
      if (performance.now() >= end) return null
      await new Promise<void>((resolve) => setTimeout(resolve, LOOK_AGAIN_MS))
    }
  }

  async counts(): Promise<QueueCounts> {
    this.#assertOpen()
    this.#expire()
    const active = [...this.#tasks.values()].filter(({ claim }) => claim !== null).length
    return { waiting: this.#tasks.size - active, active }
  }

  async clear(): Promise<void> {
    this.#assertOpen()
    forget(this.#tasks)
  }

  /** Ends this worker as a fault of the power does: its claims stay locked until they expire, and nothing more can be asked of it. */
  kill(): void {
    this.#worker.endedAt ??= this.#options.now()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#worker.endedAt !== null) return
    this.#worker.endedAt = this.#options.now()
    for (const kept of this.#tasks.values()) if (kept.claim?.worker === this.#worker) release(kept)
  }

  #assertOpen(): void {
    if (this.#worker.endedAt !== null)
      throw new QueueError('refused', 'This queue is closed. Open another one.')
  }

  /** Takes back what killed workers had; gives the time. */
  #expire(): number {
    const now = this.#options.now()
    for (const kept of this.#tasks.values()) {
      const endedAt = kept.claim?.worker.endedAt ?? null
      if (endedAt === null || now < endedAt + this.#options.lockMs) continue
      release(kept)
      kept.deaths++
    }
    return now
  }

  #claim(key: string, kept: Kept): Claim {
    const lost = new AbortController()
    const claim = { worker: this.#worker, lost }
    kept.claim = claim
    const has = () => this.#tasks.get(key) === kept && kept.claim === claim && this.#worker.endedAt === null
    return {
      task: kept.task,
      deaths: kept.deaths,
      lost: lost.signal,
      done: async () => {
        if (has()) this.#tasks.delete(key)
      },
      giveBack: async ({ delayMs = 0 } = {}) => {
        if (!has()) return
        kept.claim = null
        kept.readyAt = this.#options.now() + delayMs
      },
    }
  }
}

interface Worker {
  /** Is null while it lives. */
  endedAt: number | null
}

/** Is what is known of a task. */
interface Kept {
  readonly task: Task
  deaths: number
  readyAt: number
  claim: { readonly worker: Worker; readonly lost: AbortController } | null
}

/** Takes a task from its worker, which is told. */
function release(kept: Kept): void {
  kept.claim?.lost.abort(new QueueError('unavailable', 'This part is no longer locked for this worker.'))
  kept.claim = null
}

function forget(tasks: Map<string, Kept>): void {
  for (const kept of tasks.values()) release(kept)
  tasks.clear()
}

function keyOf({ round, part, pass }: Task): string {
  return `${round}-${part}-${pass}`
}

const LOOK_AGAIN_MS = 10

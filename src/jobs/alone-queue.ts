/**
 * Is the queue of a job that one worker does alone: what waits is in memory, and what the worker has taken is noted in storage, so that a part that kills it is known
 * when it starts again. A lease keeps a second worker out.
 */
import type { Clock } from '../clock.js'
import { isRecord, type PlainRecord } from '../plain-value.js'
import { type Lease, type LivesOrNull, takeLease } from '../storage/lease.js'
import type { Storage } from '../storage/storage.js'
import { JobError } from './job-error.js'
import type { Claim, JobQueue, QueueCounts, Task } from './queue.js'
import { changeShared } from './shared-json.js'

const LEASE_KEY = 'queue/lease.json'
const TAKEN_KEY = 'queue/taken.json'
const WAIT_MS = 500

export interface AloneSettings {
  readonly clock: Clock
  /** Says who holds the lease, for people and for `livesOrNull`. */
  readonly holder: PlainRecord
  /** Spares the minute where it knows whether a holder runs. */
  readonly livesOrNull?: LivesOrNull
  readonly signal?: AbortSignal | undefined
}

/** Throws `JobError` `needs-queue` where another worker lives; what the storage throws; the signal's reason. */
export async function openAloneQueue(storage: Storage, settings: AloneSettings): Promise<JobQueue> {
  const lease = await takeLease(storage, LEASE_KEY, {
    ...settings,
    held: (holder) =>
      new JobError(
        'needs-queue',
        `Another worker does this job (${JSON.stringify(holder)}). Several need a queue: name one by --queue redis://… or --queue postgres://…`,
      ),
    lost: () =>
      new JobError('needs-queue', 'Another worker has taken this job. Several need a queue: see --queue.'),
  })
  try {
    return new AloneQueue(storage, settings.clock, lease, await countDeaths(storage))
  } catch (error) {
    await lease[Symbol.asyncDispose]()
    throw error
  }
}

/** What was taken and never given back killed who took it. */
async function countDeaths(storage: Storage): Promise<Map<string, number>> {
  let deaths: Record<string, number> = {}
  await changeShared(storage, TAKEN_KEY, (value) => {
    deaths = { ...(isRecord(value?.deaths) ? (value.deaths as Record<string, number>) : {}) }
    const taken = value?.taken
    if (typeof taken === 'string') deaths[taken] = (deaths[taken] ?? 0) + 1
    return { taken: null, deaths }
  })
  return new Map(Object.entries(deaths))
}

class AloneQueue implements JobQueue {
  readonly label = 'the memory of this worker'
  readonly #storage: Storage
  readonly #clock: Clock
  readonly #deaths: Map<string, number>
  readonly #waiting = new Map<string, { readonly task: Task; readonly from: number }>()
  readonly #ended = new AbortController()
  readonly #lease: Lease
  #taken: string | null = null

  constructor(storage: Storage, clock: Clock, lease: Lease, deaths: Map<string, number>) {
    this.#storage = storage
    this.#clock = clock
    this.#lease = lease
    this.#deaths = deaths
  }

  async add(tasks: readonly Task[]): Promise<void> {
    for (const task of tasks) {
      const name = nameOf(task)
      if (name !== this.#taken && !this.#waiting.has(name)) this.#waiting.set(name, { task, from: 0 })
    }
  }

  async take({ signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<Claim | null> {
    signal?.throwIfAborted()
    this.#lease.lost.throwIfAborted()
    const now = this.#clock.monotonic()
    const found = [...this.#waiting].find(([, { from }]) => from <= now)
    if (found === undefined) {
      await this.#clock.sleep(WAIT_MS, signal ?? this.#ended.signal)
      return null
    }
    const [name, { task }] = found
    this.#waiting.delete(name)
    this.#taken = name
    await this.#note()
    return {
      task,
      deaths: this.#deaths.get(name) ?? 0,
      lost: this.#lease.lost,
      done: async () => {
        this.#taken = null
        if (this.#deaths.delete(name)) await this.#note()
      },
      giveBack: async ({ delayMs = 0 } = {}) => {
        this.#taken = null
        this.#waiting.set(name, { task, from: this.#clock.monotonic() + delayMs })
        await this.#note()
      },
    }
  }

  async counts(): Promise<QueueCounts> {
    return { waiting: this.#waiting.size, active: this.#taken === null ? 0 : 1 }
  }

  async clear(): Promise<void> {
    this.#waiting.clear()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort(new Error('the queue has ended'))
    await this.#lease[Symbol.asyncDispose]()
  }

  async #note(): Promise<void> {
    const deaths = Object.fromEntries(this.#deaths)
    await this.#storage.write(
      TAKEN_KEY,
      new TextEncoder().encode(JSON.stringify({ taken: this.#taken, deaths })),
    )
  }
}

/** It is the same part whichever time the plan is gone through. */
function nameOf({ round, part }: Task): string {
  return `${round}-${part}`
}

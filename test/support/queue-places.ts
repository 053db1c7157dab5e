/** Gives the places where queues of jobs are kept to the tests that judge all of them alike. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { MemoryQueues } from '../../src/jobs/memory-queue.js'
import type { JobQueue } from '../../src/jobs/queue.js'
import { type JobQueueOptions, openJobQueue } from '../../src/platform/node/jobs/open-job-queue.js'
import { PostgresServer, postgresIsMissing } from './postgres-server.js'
import { RedisServer, redisIsMissing } from './redis-server.js'
import { packageRoot } from './repository.js'

/** Locks are short and looked at often, so that tests need not wait for long. */
export const QUICK = { lockMs: 2000, checkMs: 1000, waitMs: 1000 } satisfies JobQueueOptions

/** Is a worker that has taken a part and can die with it. */
export interface Holder {
  kill(): Promise<void>
}

/** Keeps queues, and makes workers of them. */
export interface QueuePlace extends AsyncDisposable {
  open(jobId: string): Promise<JobQueue>
  hold(jobId: string): Promise<Holder>
}

/** Says in which places there are queues here, and why there are none in others. */
export const QUEUE_PLACES: readonly {
  readonly name: string
  readonly missing: string | null
  start(): Promise<QueuePlace>
}[] = [
  { name: 'memory', missing: null, start: async () => inMemory() },
  { name: 'Redis', missing: redisIsMissing, start: async () => onServer(await RedisServer.start()) },
  {
    name: 'PostgreSQL',
    missing: postgresIsMissing,
    start: async () => onServer(await PostgresServer.start()),
  },
]

function inMemory(): QueuePlace {
  const queues = new MemoryQueues({ lockMs: 300, waitMs: 200 })
  return {
    open: async (jobId) => queues.open(jobId),
    hold: async (jobId) => {
      const queue = queues.open(jobId)
      await queue.take()
      return { kill: async () => queue.kill() }
    },
    [Symbol.asyncDispose]: async () => {},
  }
}

function onServer(server: RedisServer | PostgresServer): QueuePlace {
  return {
    open: (jobId) => openJobQueue(server.address, jobId, QUICK),
    hold: async (jobId) => {
      const child = startQueueChild('hold', server.address, jobId)
      await child.next()
      return child
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

/** Is what a worker in a process of its own prints. */
export interface Said {
  readonly task?: { readonly round: number; readonly part: number; readonly pass: number }
  readonly deaths?: number
  readonly code?: string
  readonly message?: string
  readonly lost?: string
}

export interface QueueChild extends Holder {
  /** Gives what it says next; rejects where it has ended. */
  next(): Promise<Said>
  /** Gives all that it says from now on, once it has ended. */
  rest(): Promise<readonly Said[]>
}

/** Starts a worker in a process of its own, whose clock may be shifted. */
export function startQueueChild(
  what: 'hold' | 'drain' | 'postpone',
  address: string,
  jobId: string,
  skewMs = 0,
): QueueChild {
  const preload = ['--import', `${packageRoot}test/support/skew-clock.mjs`]
  const child = spawn(
    process.execPath,
    [...preload, `${packageRoot}test/support/queue-child.mjs`, what, address, jobId, JSON.stringify(QUICK)],
    { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, PLUMAGE_SKEW_MS: String(skewMs) } },
  )
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return {
    async next() {
      const { done, value } = await lines.next()
      if (done) throw new Error('The worker has ended.')
      return JSON.parse(value)
    },
    async rest() {
      const said: Said[] = []
      for (let line = await lines.next(); !line.done; line = await lines.next())
        said.push(JSON.parse(line.value))
      return said
    },
    kill: () => killed(child),
  }
}

async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  child.kill('SIGKILL')
  await exit
}

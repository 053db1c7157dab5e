/** Works on a job on this machine. */
import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { checkOptionNames, type OptionNames } from '../../../check-option-names.js'
import { systemClock } from '../../../clock.js'
import { openAloneQueue } from '../../../jobs/alone-queue.js'
import type { JobEncoder } from '../../../jobs/encode-rows.js'
import type { WorkerEvent } from '../../../jobs/events.js'
import type { Fetcher } from '../../../jobs/fetcher.js'
import { Pulse } from '../../../jobs/pulse.js'
import type { JobQueue } from '../../../jobs/queue.js'
import { assertComputes, runWorkerLoop, type WorkerOutcome } from '../../../jobs/worker.js'
import type { Storage } from '../../../storage/storage.js'
import { thisProcess } from '../files/holder.js'
import { processLivesOrNull } from '../storage/process-lease.js'
import { JobFetcher } from './job-fetcher.js'
import { type JobPlace, withJob } from './job-place.js'
import { rowHash } from './row-hash.js'

/** Says how a worker works. */
export interface RunWorkerOptions {
  /** Computes; it must be as the job was made with. It stays the caller's. */
  readonly encoder: JobEncoder
  /** Hands parts to workers; it stays the caller's. Default: one in memory, with which one worker does the job, and others are kept out. */
  readonly queue?: JobQueue
  /** Brings images; default: as the job says. */
  readonly fetcher?: Fetcher
  /** Names the worker in what it writes; default: the name of the machine, the process, and some letters. */
  readonly name?: string
  /** Is told what happens, often. */
  readonly onEvent?: (event: WorkerEvent) => void
  /** Tells the worker to stop: it gives its part back within ten seconds, and its outcome says `told-to-stop`. */
  readonly signal?: AbortSignal
}

const OPTIONS = {
  encoder: true,
  queue: true,
  fetcher: true,
  name: true,
  onEvent: true,
  signal: true,
} satisfies OptionNames<RunWorkerOptions>

/**
 * Works until each part of the job is committed, or until the job or the worker is told to stop. A part that has ended three workers, by an error or by their death, is
 * done carefully: in ranges, down to the image that does it, which fails.
 *
 * @throws `JobError` `not-found`, `damaged`, `other-identity` where the encoder is not the job's, `needs-queue` where another worker works without one; `EngineError`;
 *   `StorageError` and `QueueError` where these did not answer for ten minutes
 */
export async function runWorker(place: JobPlace, options: RunWorkerOptions): Promise<WorkerOutcome> {
  checkOptionNames(options, OPTIONS)
  const { encoder, onEvent, signal } = options
  const name = options.name ?? newWorkerName()
  return await withJob(place, signal, async (storage, job) => {
    assertComputes(job, encoder)
    await using brought = new JobFetcher(job.fetching)
    await using own = options.queue === undefined ? await queueAlone(storage, signal) : null
    await using pulse = new Pulse(storage, systemClock, name)
    return await runWorkerLoop({
      job,
      storage,
      queue: options.queue ?? own ?? never(),
      encoder,
      fetcher: options.fetcher ?? brought,
      hash: rowHash,
      clock: systemClock,
      name,
      onEvent: (event) => {
        pulse.note(event)
        onEvent?.(event)
      },
      signal,
    })
  })
}

/** Names a worker by its machine, its process and some letters. */
export function newWorkerName(): string {
  return `${hostname()}-${process.pid}-${randomBytes(3).toString('hex')}`
}

async function queueAlone(storage: Storage, signal: AbortSignal | undefined): Promise<JobQueue> {
  const holder = await thisProcess(randomBytes(8).toString('hex'))
  return await openAloneQueue(storage, {
    clock: systemClock,
    holder,
    livesOrNull: processLivesOrNull,
    signal,
  })
}

function never(): never {
  throw new Error('there is no queue')
}

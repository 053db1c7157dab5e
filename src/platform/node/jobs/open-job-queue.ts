/** Opens the queue of a job by its address. */
import { checkOptionNames, type OptionNames } from '../../../check-option-names.js'
import type { JobQueue } from '../../../jobs/queue.js'
import { QueueError } from '../../../jobs/queue-error.js'
import { nearestNames } from '../../../nearest-names.js'
import type { AskOptions } from './ask-again.js'
import { BullmqQueue } from './bullmq-queue.js'
import { connectPostgres } from './connect-postgres.js'
import { connectRedis } from './connect-redis.js'
import type { QueueServer } from './queue-server.js'

/** Says how patient a worker is with a queue, and a queue with a worker. */
export interface JobQueueOptions {
  /** Is how long a part stays with a worker of which nothing is heard, in milliseconds; default 30,000. It is renewed four times as often. */
  readonly lockMs?: number
  /** Is how often each worker looks for parts of workers that died, in milliseconds; default 30,000. The second look after a lock has expired takes such a part back. */
  readonly checkMs?: number
  /** Is how long `take` waits where there is nothing, in milliseconds; default 3,000. */
  readonly waitMs?: number
  /** Is for how long a server that does not answer is asked again, in milliseconds; default 60,000. */
  readonly unavailableMs?: number
  /** Is how often clocks are compared where locks rest on those of workers, in milliseconds; default 60,000. */
  readonly clockMs?: number
  /** Ends the opening, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

const OPTIONS = {
  lockMs: true,
  checkMs: true,
  waitMs: true,
  unavailableMs: true,
  clockMs: true,
  signal: true,
} satisfies OptionNames<JobQueueOptions>

type Connect = (address: string, options: AskOptions) => Promise<QueueServer>

const SCHEMES: ReadonlyMap<string, Connect> = new Map([
  ['redis', connectRedis],
  ['rediss', connectRedis],
  ['postgres', connectPostgres],
  ['postgresql', connectPostgres],
])

/**
 * Opens the queue of a job on Redis (`redis://host:6379`, `rediss://` with TLS) or PostgreSQL (`postgres://user@host/database`). Any number of processes may have it open.
 * Throws `QueueError`: `missing` where the packages for it are not installed, `unfit` where Redis may drop parts, `clock` where this machine's clock is more than 5 s from
 * that of PostgreSQL, `unavailable`, `refused`; and the signal's reason.
 */
export async function openJobQueue(
  address: string,
  jobId: string,
  options: JobQueueOptions = {},
): Promise<JobQueue> {
  checkOptionNames(options, OPTIONS)
  const { signal, ...given } = options
  const settings = { ...DEFAULTS, ...given, label: labelOf(address) }
  const connect = connectorOf(address)
  const server = await connect(address, { ...settings, signal })
  try {
    return await BullmqQueue.open(jobId, server, settings, signal)
  } catch (error) {
    server.end()
    throw error
  }
}

const DEFAULTS = { lockMs: 30_000, checkMs: 30_000, waitMs: 3000, unavailableMs: 60_000, clockMs: 60_000 }

function connectorOf(address: string): Connect {
  const scheme = schemeOf(address)
  const connect = SCHEMES.get(scheme)
  if (connect !== undefined) return connect
  const names = [...SCHEMES.keys()]
  throw new QueueError(
    'refused',
    `A queue is named by an address that begins with ${names.map((name) => `${name}://`).join(', ')}; found ${scheme === '' ? 'none of them' : `${scheme}://`}. Did you mean ${nearestNames(scheme, names, 1).join()}://?`,
  )
}

function schemeOf(address: string): string {
  return /^([a-z][a-z0-9+.-]*):\/\//i.exec(address)?.[1]?.toLowerCase() ?? ''
}

/** Leaves out user, password and parameters, which may hold one too. A password may hold any letter, and so all that stands before the last @ is left out. */
function labelOf(address: string): string {
  const [, rest = ''] = address.split(/:\/\/(.*)/s)
  const host = rest.slice(rest.lastIndexOf('@') + 1).replace(/[?#].*$/s, '')
  return `${schemeOf(address)}://${host}`
}

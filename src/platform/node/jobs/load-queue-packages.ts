/** Loads the packages that speak to queues, which are optional: whoever shares no work among machines need not have them. */
import { createRequire } from 'node:module'
import { QueueError } from '../../../jobs/queue-error.js'

export type Bullmq = typeof import('bullmq')
export type Ioredis = typeof import('ioredis')
export type Pg = typeof import('pg')

/** Loads BullMQ. Throws `QueueError` `missing`. */
export const loadBullmq = () => load('bullmq', 'bullmq@6') as Bullmq
/** Loads what speaks to Redis. Throws `QueueError` `missing`. */
export const loadIoredis = () => load('ioredis', 'bullmq@6 ioredis@6') as Ioredis
/** Loads what speaks to PostgreSQL. Throws `QueueError` `missing`. */
export const loadPg = () => load('pg', 'bullmq@6 pg@8') as Pg

function load(name: string, install: string): unknown {
  try {
    return createRequire(import.meta.url)(name)
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    const why = code === 'MODULE_NOT_FOUND' ? '' : ` (${message})`
    throw new QueueError(
      'missing',
      `Queues are spoken to by the package ${name}, which is not installed${why}. Install it: npm install ${install}`,
      { cause },
    )
  }
}

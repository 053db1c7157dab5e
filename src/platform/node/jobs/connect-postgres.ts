/** Connects to PostgreSQL for queues. */
import type { PostgresConnectionOptions } from 'bullmq'
import type { Pool } from 'pg'
import { QueueError } from '../../../jobs/queue-error.js'
import { type AskOptions, askAgain } from './ask-again.js'
import { loadBullmq, loadPg } from './load-queue-packages.js'
import { ANSWER_MS, type QueueServer } from './queue-server.js'

/** Makes BullMQ's tables where they are missing. Throws `QueueError`, `clock` where the clocks are apart. */
export async function connectPostgres(address: string, options: AskOptions): Promise<QueueServer> {
  const { createPostgresBackend, runMigrations, DEFAULT_SCHEMA } = loadBullmq()
  const pool: Pool = new (loadPg().Pool)({
    connectionString: address,
    max: 4,
    connectionTimeoutMillis: ANSWER_MS,
    query_timeout: ANSWER_MS,
    keepAlive: true,
    application_name: 'plumage',
    // Its commands name tables without their schema.
    options: `-c search_path="${DEFAULT_SCHEMA}"`,
  })
  pool.on('error', () => {})
  // Whoever has a connection is told by the question that fails; that a server dies between two of them would end the process.
  pool.on('connect', (client) => client.on('error', () => {}))
  try {
    await askAgain(async () => {
      const client = await pool.connect()
      try {
        await runMigrations(client, DEFAULT_SCHEMA)
        client.release()
      } catch (error) {
        client.release(true)
        throw error
      }
    }, options)
    await askAgain(() => checkClock(pool, options.label), options)
  } catch (error) {
    void pool.end().catch(() => {})
    throw error
  }
  return {
    backend: (name, { connection: _, ...opts }) =>
      createPostgresBackend(name, { ...opts, connection: pool as unknown as PostgresConnectionOptions }),
    connection: {},
    checkClock: () => checkClock(pool, options.label),
    aheadMs: () => 0,
    dueParts: null,
    end: () => void pool.end().catch(() => {}),
  }
}

/** BullMQ judges locks there by each worker's own clock: one that is an hour ahead would take every other worker's parts. */
async function checkClock(pool: Pool, label: string): Promise<void> {
  const before = Date.now()
  const asked = performance.now()
  const { rows } = await pool.query('SELECT extract(epoch FROM clock_timestamp()) * 1000 AS now')
  const halfMs = (performance.now() - asked) / 2
  const ahead = before + halfMs - Number(rows[0]?.now)
  // The database looked at its clock at some moment between the two.
  if (Math.abs(ahead) - halfMs <= APART_MS) return
  throw new QueueError(
    'clock',
    `The clock of this machine is ${(Math.abs(ahead) / 1000).toFixed(1)} s ${ahead > 0 ? 'ahead of' : 'behind'} that of ${label}, where at most ${APART_MS / 1000} s are allowed: parts are locked by the clocks of workers there. Set the clock of this machine (timedatectl set-ntp true), or use a queue on Redis.`,
  )
}

const APART_MS = 5000

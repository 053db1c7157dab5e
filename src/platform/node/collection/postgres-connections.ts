/**
 * Holds the connections to a collection's server: some for reading, and one for writing. The right to write is a lock of that very connection: where it breaks the lock
 * is gone, and with it whatever had not been committed, so that nobody writes who does not hold it.
 */
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client, ClientConfig, Pool, PoolClient } from 'pg'
import { CollectionError } from '../../../collection/collection-error.js'
import { FileError } from '../files/file-error.js'
import { loadPg } from './load-pg.js'
import { applicationName, applicationPrefix, type PostgresAddress } from './postgres-address.js'
import { onLiving, withPostgres } from './postgres-errors.js'
import type { Answer } from './postgres-rows.js'

/** Asks one connection. Values are bound. */
export type Ask = (sql: string, values?: readonly unknown[]) => Promise<readonly Answer[]>

/** Says how the right to write is asked for. */
export interface WriteOptions {
  /** Ends the waiting. */
  readonly signal?: AbortSignal
  /** Is told that somebody holds it who may be gone. */
  readonly onWait?: (message: string) => void
}

/** So many are open for reading, at most: some readings take place within others. */
const READERS = 10
const CONNECT_MS = 30_000
/** The server notices within two seconds that a writer is gone. */
const GONE_MS = 6000
const POLL_MS = 250
/** What has to wait for readers gives up after this time. */
const LOCK_WAIT = '60s'

/** Makes what a writer's session lasts for: it ends when its process does, and what is committed is on the disk. */
const WRITER_SETTINGS = `set synchronous_commit = on; set lock_timeout = '${LOCK_WAIT}'; set client_connection_check_interval = '2s';
  set tcp_keepalives_idle = 20; set tcp_keepalives_interval = 5; set tcp_keepalives_count = 4`

export class Connections implements AsyncDisposable {
  readonly #address: PostgresAddress
  readonly #pool: Pool
  readonly #writer: Client | null
  /** Changes come one after the other. */
  #turn: Promise<unknown> = Promise.resolve()

  private constructor(address: PostgresAddress, pool: Pool, writer: Client | null) {
    this.#address = address
    this.#pool = pool
    this.#writer = writer
  }

  /** Throws `CollectionError` `unavailable`, `unreachable`, `forbidden`; `FileError` `locked` where another process holds the right to write. */
  static async open(address: PostgresAddress, write: WriteOptions | null): Promise<Connections> {
    const { Pool, Client } = loadPg()
    const config = configOf(address, write === null ? 'reads' : 'writes')
    const pool = new Pool({ ...config, max: READERS, idleTimeoutMillis: 10_000, allowExitOnIdle: true })
    // A connection that breaks while nobody uses it is replaced.
    pool.on('error', () => {})
    // One that breaks between two questions of whoever has it is told by the second.
    pool.on('connect', (client) => client.on('error', () => {}))
    if (write === null) return new Connections(address, pool, null)
    const writer = new Client(config)
    writer.on('error', () => {})
    try {
      await withPostgres(address.label, async () => {
        await writer.connect()
        await writer.query(WRITER_SETTINGS)
        await takeLock(askingOf(writer), address, write)
      })
    } catch (error) {
      await writer.end().catch(() => {})
      await pool.end()
      throw error
    }
    return new Connections(address, pool, writer)
  }

  get isWritable(): boolean {
    return this.#writer !== null
  }

  /** Asks on any connection. */
  read(sql: string, values: readonly unknown[] = []): Promise<readonly Answer[]> {
    const ask = async () => rowsOf(await this.#pool.query(query(sql, values)))
    return withPostgres(this.#address.label, () => onLiving(ask))
  }

  /** Asks several times, and sees the same state of the database each time. */
  async *snapshot<Result>(read: (ask: Ask) => AsyncGenerator<Result>): AsyncGenerator<Result> {
    const { label } = this.#address
    const client = await withPostgres(label, () => onLiving(() => this.#beginReading()))
    const ask = (sql: string, values?: readonly unknown[]) =>
      withPostgres(label, () => askingOf(client)(sql, values))
    let isWell = false
    try {
      yield* read(ask)
      isWell = true
    } finally {
      // What was stopped in the middle lets go of the snapshot as well.
      const isFree = isWell ? await ended(client, 'commit') : await ended(client, 'rollback')
      client.release(!isFree)
    }
  }

  async #beginReading(): Promise<PoolClient> {
    const client = await this.#pool.connect()
    try {
      await client.query('begin isolation level repeatable read, read only')
      return client
    } catch (error) {
      client.release(true)
      throw error
    }
  }

  /** Changes all or nothing. Whoever only reads the collection may change small files and logs. */
  change<Result>(work: (ask: Ask) => Promise<Result>): Promise<Result> {
    return this.#inTurn(async (ask) => {
      await ask('begin')
      try {
        const result = await work(ask)
        await ask('commit')
        return result
      } catch (error) {
        await ask('rollback').catch(() => {})
        throw error
      }
    })
  }

  /** Does what is no part of a transaction. It is ended by the signal, which is then thrown. */
  async maintain<Result>(
    signal: AbortSignal | undefined,
    work: (ask: Ask) => Promise<Result>,
  ): Promise<Result> {
    signal?.throwIfAborted()
    return await this.#inTurn(async (ask) => {
      const [[pid] = []] = await ask('select pg_backend_pid()')
      const cancel = () => void this.#pool.query('select pg_cancel_backend($1)', [pid]).catch(() => {})
      signal?.addEventListener('abort', cancel)
      try {
        return await work(ask)
      } catch (error) {
        signal?.throwIfAborted()
        throw error
      } finally {
        signal?.removeEventListener('abort', cancel)
      }
    })
  }

  #inTurn<Result>(work: (ask: Ask) => Promise<Result>): Promise<Result> {
    const done = this.#turn.then(() =>
      withPostgres(this.#address.label, async () => {
        if (this.#writer !== null) return await work(askingOf(this.#writer))
        const client = await this.#pool.connect()
        try {
          return await work(askingOf(client))
        } finally {
          client.release()
        }
      }),
    )
    this.#turn = done.catch(() => {})
    return done
  }

  /** Counts the other processes that have it open for reading. */
  async readers(): Promise<number> {
    const prefix = `${applicationPrefix(this.#address.lock)}reads `
    const [[count] = []] = await this.read(
      `select count(distinct application_name) from pg_stat_activity where datname = current_database() and starts_with(application_name, $1::text)`,
      [prefix],
    )
    return Number(count)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#turn
    await this.#writer?.end().catch(() => {})
    if (!this.#pool.ended) await this.#pool.end()
  }
}

async function ended(client: PoolClient, how: 'commit' | 'rollback'): Promise<boolean> {
  return await client.query(how).then(
    () => true,
    () => false,
  )
}

function configOf(address: PostgresAddress, role: 'reads' | 'writes'): ClientConfig {
  return {
    connectionString: address.connection,
    application_name: applicationName(address, role),
    keepAlive: true,
    // Values are read by the columns that they are of.
    types: { getTypeParser: () => (text: string) => text },
    ...(process.env.PGCONNECT_TIMEOUT === undefined ? { connectionTimeoutMillis: CONNECT_MS } : {}),
  }
}

function query(sql: string, values: readonly unknown[]) {
  return { text: sql, values: [...values], rowMode: 'array' as const }
}

function askingOf(client: Client | PoolClient): Ask {
  return async (sql, values = []) => rowsOf(await client.query(query(sql, values)))
}

function rowsOf({ rows }: { readonly rows: unknown }): readonly Answer[] {
  return rows as readonly Answer[]
}

/** Throws `FileError` `locked`. */
async function takeLock(ask: Ask, address: PostgresAddress, { signal, onWait }: WriteOptions): Promise<void> {
  for (let waited = 0; ; waited += POLL_MS) {
    signal?.throwIfAborted()
    const [[isOurs] = []] = await ask('select pg_try_advisory_lock($1::bigint)', [address.lock])
    if (isOurs === 't') return
    const holder = await holderOf(ask, address)
    if (waited >= GONE_MS || holder.runsHere)
      throw new FileError(
        'locked',
        `${address.label} is being written by ${holder.name}. Wait for it, or name another collection.`,
      )
    if (waited === 0) onWait?.(`${address.label} is held by ${holder.name}: waiting to see whether it lives`)
    await sleep(POLL_MS)
  }
}

async function holderOf(ask: Ask, { lock }: PostgresAddress): Promise<{ name: string; runsHere: boolean }> {
  const [found] = await ask(
    `select a.pid, a.application_name, host(a.client_addr) from pg_locks l join pg_stat_activity a using (pid)
      where l.locktype = 'advisory' and l.objsubid = 1 and l.granted and l.database = (select oid from pg_database where datname = current_database())
      and (l.classid::bigint << 32) | l.objid::bigint = $1::bigint`,
    [lock],
  )
  if (found === undefined) return { name: 'somebody who has just let go of it', runsHere: false }
  const [backend, application, address] = found
  const [, pid, host] = /(\d+)@(.+)$/.exec(application ?? '') ?? []
  const name =
    pid === undefined
      ? `${application || 'a program'}${address == null ? '' : ` at ${address}`} (server process ${backend})`
      : `process ${pid} on ${host} (server process ${backend})`
  return { name, runsHere: host === hostname() && isRunning(Number(pid)) }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Throws `CollectionError` `in-use` where others have it open for reading. */
export async function assertUnread(connections: Connections, label: string): Promise<void> {
  const readers = await connections.readers()
  if (readers > 0)
    throw new CollectionError('in-use', `${label} is open in ${readers} other places: close them first.`)
}

/** Connects LanceDB to where a collection lies, and connects it anew before the keys end that it was given: it never asks for others itself. */
import type { Connection, Session, Table } from '@lancedb/lancedb'
import type { Schema } from 'apache-arrow'
import { type Arrow, loadLance } from './load-lance.js'
import type { CollectionPlace } from './place.js'

/** Bounds LanceDB's caches, in bytes: by itself it would take 7 GB. */
const INDEX_CACHE = 256n * 2n ** 20n
const METADATA_CACHE = 64n * 2n ** 20n

/** Keys are not used in their last minutes: what begins with them must end with them. */
const SPARE_MS = 4 * 60_000

export class LanceConnection {
  readonly arrow: Arrow
  readonly #place: Pick<CollectionPlace, 'address'>
  readonly #session: Session
  #connection: { readonly connection: Connection; readonly endsMs: number } | null = null
  #open: { readonly name: string; readonly table: Table } | null = null
  #renewed: Promise<void> | null = null

  /** Throws `CollectionError` `unavailable`. */
  constructor(place: Pick<CollectionPlace, 'address'>) {
    const { lance, arrow } = loadLance()
    this.arrow = arrow
    this.#place = place
    this.#session = new lance.Session(INDEX_CACHE, METADATA_CACHE)
  }

  /** Makes an empty table, and opens it. */
  async create(name: string, schema: Schema): Promise<Table> {
    const table = await this.createBeside(name, schema)
    this.#take(name, table)
    return table
  }

  /** Makes an empty table beside the open one. */
  async createBeside(name: string, schema: Schema): Promise<Table> {
    const connection = await this.#connected()
    return await connection.createEmptyTable(name, schema, { mode: 'overwrite' })
  }

  /** Opens the newest version of a table. */
  async open(name: string): Promise<Table> {
    const connection = await this.#connected()
    const table = await connection.openTable(name)
    this.#take(name, table)
    return table
  }

  /** Gives the open table, at the version that it was opened with, or that was written since. */
  async table(): Promise<Table> {
    if (this.#connection !== null && Date.now() >= this.#connection.endsMs) {
      this.#renewed ??= this.#renew().finally(() => {
        this.#renewed = null
      })
      await this.#renewed
    }
    if (this.#open === null) throw new Error('no table is open')
    return this.#open.table
  }

  async #renew(): Promise<void> {
    if (this.#open === null) return
    const { name, table } = this.#open
    const version = await table.version()
    const fresh = await (await this.#connected()).openTable(name)
    // What others have written since is not what was opened.
    if ((await fresh.version()) !== version) await fresh.checkout(version)
    // What is being read of the old one goes on with its keys, and gives it back.
    this.#open = { name, table: fresh }
  }

  async #connected(): Promise<Connection> {
    if (this.#connection !== null && Date.now() < this.#connection.endsMs) return this.#connection.connection
    const { uri, storageOptions, expiresMs } = await this.#place.address()
    const { lance } = loadLance()
    const options = storageOptions === undefined ? {} : { storageOptions }
    const connection = await lance.connect(uri, { session: this.#session, ...options })
    const endsMs = expiresMs === undefined ? Number.POSITIVE_INFINITY : expiresMs - SPARE_MS
    this.#connection = { connection, endsMs }
    return connection
  }

  #take(name: string, table: Table): void {
    this.#open?.table.close()
    this.#open = { name, table }
  }

  close(): void {
    this.#open?.table.close()
    this.#connection?.connection.close()
  }
}

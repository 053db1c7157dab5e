/**
 * Keeps a collection as a LanceDB table in a folder, which other programs (Python's lancedb) open as well. Beside the table lie what the collection is
 * (collection.json), logs and small files.
 */
import { mkdir, readdir } from 'node:fs/promises'
import type { Connection, Session, Table } from '@lancedb/lancedb'
import { CollectionError } from '../../../collection/collection-error.js'
import { type CollectionColumn, columnOf, PHOTO_COLUMNS } from '../../../collection/columns.js'
import { halvesOf, type RowBlock } from '../../../collection/row-block.js'
import type {
  About,
  CollectionStore,
  Log,
  LogName,
  ScanChoice,
  StoredVectors,
} from '../../../collection/store.js'
import type { StoredRows } from '../../../numerics/nearest-rows.js'
import { type ProductOptions, productOptions } from '../../../numerics/products.js'
import { lockOutput, type OutputLock } from '../files/output-lock.js'
import { blockFrom, EMBEDDING, fieldOf, schemaOf, tableOf } from './arrow-rows.js'
import {
  type CollectionFile,
  FileLog,
  readAbout,
  readSmallFile,
  writeAbout,
  writeSmallFile,
} from './collection-files.js'
import { type Arrow, loadLance } from './load-lance.js'

/** Says how a collection is opened. */
export interface OpenStoreOptions {
  /** Asks for the right to change it, which one process has at a time; default `false`. */
  readonly write?: boolean
  /** Ends the waiting for it. */
  readonly signal?: AbortSignal
  /** Is told when it has to be found out whether another process that holds it still lives. */
  readonly onWait?: (message: string) => void
}

/** Bounds LanceDB's caches, in bytes: by itself it would take 7 GB. */
const INDEX_CACHE = 256n * 2n ** 20n
const METADATA_CACHE = 64n * 2n ** 20n

/** So many ids stand in one question. */
const IDS_AT_ONCE = 1000

const TABLE = 'photos'

export class LanceStore implements CollectionStore {
  readonly label: string
  readonly isWritable: boolean
  #about: CollectionFile
  readonly #arrow: Arrow
  readonly #connection: Connection
  #table: Table
  readonly #lock: OutputLock | null

  private constructor(parts: {
    readonly folder: string
    readonly about: CollectionFile
    readonly arrow: Arrow
    readonly connection: Connection
    readonly table: Table
    readonly lock: OutputLock | null
  }) {
    this.label = parts.folder
    this.isWritable = parts.lock !== null
    this.#about = parts.about
    this.#arrow = parts.arrow
    this.#connection = parts.connection
    this.#table = parts.table
    this.#lock = parts.lock
  }

  /** Throws `CollectionError` `exists` where something lies in the folder, `unavailable`; `FileError` `locked`. */
  static async create(folder: string, about: About, options: OpenStoreOptions = {}): Promise<LanceStore> {
    const { arrow, connect } = connectionTo(folder)
    const lock = await lockOutput(folder, options)
    try {
      await mkdir(folder, { recursive: true })
      const found = (await readdir(folder)).filter((name) => name !== `${TABLE}.lance`)
      if (found.length > 0)
        throw new CollectionError(
          'exists',
          `${folder} holds ${found[0]} already, and is no place for a new collection. Name another folder.`,
        )
      const connection = await connect()
      // A kill between the table and what says that it is one leaves an empty table, which the next attempt replaces.
      const table = await connection.createEmptyTable(TABLE, schemaOf(arrow, about), { mode: 'overwrite' })
      const file = { ...about, table: TABLE }
      await writeAbout(folder, file)
      return new LanceStore({ folder, about: file, arrow, connection, table, lock })
    } catch (error) {
      await lock[Symbol.asyncDispose]()
      throw error
    }
  }

  /** Throws `CollectionError` `not-found`, `damaged`, `unavailable`; `FileError` `locked` where another process may change it. */
  static async open(folder: string, options: OpenStoreOptions = {}): Promise<LanceStore> {
    const about = await readAbout(folder)
    const { arrow, connect } = connectionTo(folder)
    const lock = options.write === true ? await lockOutput(folder, options) : null
    try {
      const connection = await connect()
      // It may have changed while the lock was waited for.
      const now = lock === null ? about : await readAbout(folder)
      const table = await connection.openTable(now.table)
      return new LanceStore({ folder, about: now, arrow, connection, table, lock })
    } catch (error) {
      await lock?.[Symbol.asyncDispose]()
      if (error instanceof CollectionError) throw error
      throw new CollectionError(
        'damaged',
        `The table ${about.table} of ${folder} cannot be opened: ${reasonOf(error)}`,
        {
          cause: error,
        },
      )
    }
  }

  get about(): About {
    return this.#about
  }

  async setAbout(about: About): Promise<void> {
    const file = { ...about, table: this.#about.table }
    await writeAbout(this.label, file)
    this.#about = file
  }

  async version(): Promise<number> {
    return await this.#table.version()
  }

  async count(): Promise<number> {
    return await this.#table.countRows()
  }

  async *scan({ columns, embeddings = false, ids, signal }: ScanChoice): AsyncIterable<RowBlock> {
    const all = [...PHOTO_COLUMNS, ...this.#about.columns]
    const wanted = columns.map((name) => columnOf(name, all))
    const names = [...new Set(columns), ...(embeddings ? [EMBEDDING] : [])]
    for (const where of ids === undefined ? [null] : predicates(ids)) {
      const query = this.#table.query().select(names)
      for await (const batch of where === null ? query : query.where(where)) {
        signal?.throwIfAborted()
        yield blockFrom(batch, wanted, this.#about, embeddings)
      }
    }
  }

  async add(block: RowBlock): Promise<void> {
    await this.#table.add(tableOf(this.#arrow, this.#about, block))
  }

  async replace(block: RowBlock): Promise<void> {
    await this.#table
      .mergeInsert('id')
      .whenMatchedUpdateAll()
      .execute(tableOf(this.#arrow, this.#about, block))
  }

  async remove(ids: readonly string[]): Promise<void> {
    for (const where of predicates(ids)) await this.#table.delete(where)
  }

  async addColumns(columns: readonly CollectionColumn[]): Promise<void> {
    const has = new Set((await this.#table.schema()).fields.map(({ name }) => name))
    // A kill between the table and what is told of it leaves columns that are there already.
    const missing = columns.filter(({ name }) => !has.has(name))
    if (missing.length > 0)
      await this.#table.addColumns(missing.map((column) => fieldOf(this.#arrow, column)))
    await this.setAbout({ ...this.#about, columns: [...this.#about.columns, ...columns] })
  }

  log(name: LogName): Log {
    return new FileLog(this.label, name)
  }

  readFile(name: string): Promise<Uint8Array | null> {
    return readSmallFile(this.label, name)
  }

  writeFile(name: string, bytes: Uint8Array | null): Promise<void> {
    return writeSmallFile(this.label, name, bytes)
  }

  async vectors(options?: ProductOptions): Promise<StoredVectors> {
    const { signal } = productOptions(options)
    const ids: string[] = []
    const blocks: StoredRows[] = []
    const query = this.#table.query().select(['id', EMBEDDING]).where("state = 'embedded'")
    for await (const batch of query) {
      signal?.throwIfAborted()
      const { values, embeddings, count } = blockFrom(
        batch,
        [{ name: 'id', type: 'text' }],
        this.#about,
        true,
      )
      if (count === 0 || embeddings === undefined) continue
      for (const id of values.id ?? []) ids.push(String(id))
      blocks.push(halvesOf(embeddings))
    }
    return { ids, blocks }
  }

  async compact(): Promise<void> {
    await this.#table.optimize({ cleanupOlderThan: new Date(), deleteUnverified: true })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#table.close()
    this.#connection.close()
    await this.#lock?.[Symbol.asyncDispose]()
  }
}

function connectionTo(folder: string) {
  const { lance, arrow } = loadLance()
  const session: Session = new lance.Session(INDEX_CACHE, METADATA_CACHE)
  return { arrow, connect: () => lance.connect(folder, { session }) }
}

/** Names rows by their ids, which are hexadecimal: no other text is put into a question of ours. */
function* predicates(ids: readonly string[]): Generator<string> {
  for (let at = 0; at < ids.length; at += IDS_AT_ONCE) {
    const part = ids.slice(at, at + IDS_AT_ONCE)
    for (const id of part)
      if (!/^[0-9a-f]{32}$/.test(id)) throw new RangeError(`${JSON.stringify(id)} is no id.`)
    yield `id IN (${part.map((id) => `'${id}'`).join(', ')})`
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/**
 * Keeps a collection as a LanceDB table in a folder, which other programs (Python's lancedb) open as well. Beside the table lie what the collection is
 * (collection.json), logs and small files.
 */
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Connection, Session, Table } from '@lancedb/lancedb'
import { CollectionError } from '../../../collection/collection-error.js'
import { type CollectionColumn, columnOf, PHOTO_COLUMNS } from '../../../collection/columns.js'
import { halvesOf, type RowBlock } from '../../../collection/row-block.js'
import type {
  About,
  ByIndexOptions,
  CollectionStore,
  CompactOptions,
  CompactReport,
  Log,
  LogName,
  NearRow,
  PrepareOptions,
  ScanChoice,
  StoredVectors,
  StoreFacts,
} from '../../../collection/store.js'
import {
  byIndexOptions,
  compactOptions,
  prepareOptions,
  scanChoice,
} from '../../../collection/store-options.js'
import type { StoredRows } from '../../../numerics/nearest-rows.js'
import { type ProductOptions, productOptions } from '../../../numerics/products.js'
import { isRecord, parseJsonOrNull } from '../../../plain-value.js'
import { toHalf } from '../../../tensor/float16.js'
import { explainWriteError } from '../files/file-error.js'
import { lockOutput, type OutputLock } from '../files/output-lock.js'
import { blockFrom, EMBEDDING, fieldOf, schemaOf, tableOf } from './arrow-rows.js'
import {
  type CollectionFile,
  FileLog,
  readAbout,
  readSmallFile,
  sizesIn,
  writeAbout,
  writeSmallFile,
} from './collection-files.js'
import { sqlOf } from './lance-sql.js'
import { type HeldVersion, heldVersions, Lease } from './leases.js'
import { type Arrow, loadLance } from './load-lance.js'
import {
  carryVectorFile,
  openVectorFile,
  type VectorBlock,
  type VectorFile,
  type VectorFileState,
  writeVectorFile,
} from './vector-file.js'
import { askIndex, type IndexState, refreshIndex } from './vector-index.js'

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
const EMBEDDED = "state = 'embedded'"
/** Says how the index is. */
const INDEX = 'index.json'
/** So many rows more are asked of the index than are wanted. */
const SPARE = 16

/** Earlier versions are kept for so long where somebody reads. */
const DAY_MS = 86_400_000

export class LanceStore implements CollectionStore {
  readonly label: string
  readonly isWritable: boolean
  #about: CollectionFile
  readonly #arrow: Arrow
  readonly #connection: Connection
  #table: Table
  readonly #lock: OutputLock | null
  readonly #lease: Lease | null
  /** Are looked through, maybe, as long as the store is open. */
  readonly #files: VectorFile[] = []

  private constructor(parts: {
    readonly folder: string
    readonly about: CollectionFile
    readonly arrow: Arrow
    readonly connection: Connection
    readonly table: Table
    readonly lock: OutputLock | null
    readonly lease?: Lease | null
  }) {
    this.label = parts.folder
    this.isWritable = parts.lock !== null
    this.#about = parts.about
    this.#arrow = parts.arrow
    this.#connection = parts.connection
    this.#table = parts.table
    this.#lock = parts.lock
    this.#lease = parts.lease ?? null
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
    // It is there before the table is chosen, so that whoever compacts sees one of the two.
    const lease = lock === null ? await Lease.takeOrNull(folder) : null
    try {
      const connection = await connect()
      // It may have changed meanwhile.
      const now = await readAbout(folder)
      const table = await connection.openTable(now.table)
      lease?.hold({ table: now.table, version: await table.version() })
      return new LanceStore({ folder, about: now, arrow, connection, table, lock, lease })
    } catch (error) {
      await lock?.[Symbol.asyncDispose]()
      await lease?.[Symbol.asyncDispose]()
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

  async *scan(choice: ScanChoice): AsyncIterable<RowBlock> {
    const { columns, embeddings = false, ids, where, signal } = scanChoice(choice)
    const all = [...PHOTO_COLUMNS, ...this.#about.columns]
    const wanted = columns.map((name) => columnOf(name, all))
    const names = [...new Set(columns), ...(embeddings ? [EMBEDDING] : [])]
    const condition = where === undefined ? [] : [sqlOf(where)]
    for (const predicate of ids === undefined ? [null] : predicates(ids)) {
      const asked = [...(predicate === null ? [] : [predicate]), ...condition].join(' and ')
      const query = this.#table.query().select(names)
      for await (const batch of asked === '' ? query : query.where(asked)) {
        signal?.throwIfAborted()
        yield blockFrom(batch, wanted, this.#about, embeddings)
      }
    }
  }

  async add(block: RowBlock): Promise<void> {
    await explained(this.label, this.#table.add(tableOf(this.#arrow, this.#about, block)))
  }

  async replace(block: RowBlock): Promise<void> {
    const merge = this.#table.mergeInsert('id').whenMatchedUpdateAll()
    await explained(this.label, merge.execute(tableOf(this.#arrow, this.#about, block)))
  }

  async remove(ids: readonly string[]): Promise<void> {
    for (const where of predicates(ids)) await explained(this.label, this.#table.delete(where))
  }

  async addColumns(columns: readonly CollectionColumn[]): Promise<void> {
    const has = new Set((await this.#table.schema()).fields.map(({ name }) => name))
    const version = await this.version()
    // A kill between the table and what is told of it leaves columns that are there already.
    const missing = columns.filter(({ name }) => !has.has(name))
    if (missing.length > 0)
      await explained(
        this.label,
        this.#table.addColumns(missing.map((column) => fieldOf(this.#arrow, column))),
      )
    await this.carryVectors(version)
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
    const file = await this.#openVectors()
    if (file !== null) return { ids: file.ids, blocks: [{ dtype: 'F16', bytes: file.rows }] }
    const ids: string[] = []
    const blocks: StoredRows[] = []
    for await (const { ids: own, halves } of this.#halves(signal)) {
      for (const id of own) ids.push(id)
      blocks.push(halvesOf(halves))
    }
    return { ids, blocks }
  }

  /** Reads the rows that have an embedding. */
  async *#halves(signal: AbortSignal | undefined): AsyncGenerator<VectorBlock> {
    const query = this.#table.query().select(['id', EMBEDDING]).where(EMBEDDED)
    for await (const batch of query) {
      signal?.throwIfAborted()
      const { values, embeddings, count } = blockFrom(
        batch,
        [{ name: 'id', type: 'text' }],
        this.#about,
        true,
      )
      if (count === 0 || embeddings === undefined) continue
      const halves = embeddings instanceof Uint16Array ? embeddings : toHalf(embeddings)
      yield { ids: (values.id ?? []).map(String), halves }
    }
  }

  async #vectorState(): Promise<VectorFileState> {
    return { table: this.#about.table, version: await this.version(), width: this.#about.width }
  }

  /** Opens the file of vectors of this version, which is closed with the store; null where there is none. */
  async #openVectors(): Promise<VectorFile | null> {
    const state = await this.#vectorState()
    const file = await openVectorFile(this.label, state)
    if (file !== null) this.#files.push(file)
    return file
  }

  async prepare(options: PrepareOptions): Promise<void> {
    const { scorer, onIndex, signal } = prepareOptions(options)
    const state = await this.#vectorState()
    const file = (await this.#openVectors()) ?? (await this.#writeVectors(state, signal))
    const index = await refreshIndex(
      { table: this.#table, ids: file.ids, rows: file.rows, width: state.width, scorer, signal },
      await this.#indexState(),
    )
    await this.writeFile(INDEX, index === null ? null : Buffer.from(JSON.stringify(index)))
    // An index is another version of the table, whose rows are the same.
    await this.carryVectors(state.version)
    if (index !== null) onIndex?.(index)
  }

  async carryVectors(version: number): Promise<void> {
    await carryVectorFile(this.label, version, await this.version())
  }

  async #writeVectors(state: VectorFileState, signal: AbortSignal | undefined): Promise<VectorFile> {
    const count = await this.#table.countRows(EMBEDDED)
    await writeVectorFile(this.label, state, count, this.#halves(signal))
    const file = await this.#openVectors()
    if (file === null) throw new Error(`the file of vectors of version ${state.version} cannot be read back`)
    return file
  }

  async #indexState(): Promise<IndexState | null> {
    const bytes = await this.readFile(INDEX)
    const found = bytes === null ? null : parseJsonOrNull(new TextDecoder().decode(bytes))
    if (!isRecord(found)) return null
    const { rows, probes, recall } = found
    const isWhole = typeof rows === 'number' && typeof probes === 'number' && typeof recall === 'number'
    return isWhole ? { rows, probes, recall } : null
  }

  async nearestByIndex(
    query: Float32Array,
    count: number,
    options?: ByIndexOptions,
  ): Promise<readonly NearRow[] | null> {
    const { where: condition, signal } = byIndexOptions(options)
    const where = condition === undefined ? undefined : sqlOf(condition)
    const index = await this.#indexState()
    if (index === null) return null
    const ask = (wanted: number, among: string | undefined) =>
      askIndex(this.#table, query, wanted, { probes: index.probes, where: among })
    // Few photos are gone: it is quicker to leave them out afterwards than to ask for the others.
    const found = await ask(count + SPARE, where)
    signal?.throwIfAborted()
    const near = found.filter(({ state }) => state === 'embedded').slice(0, count)
    if (near.length === Math.min(count, found.length)) return near
    return await ask(count, where === undefined ? EMBEDDED : `(${where}) AND ${EMBEDDED}`)
  }

  async compact(options: CompactOptions = {}): Promise<CompactReport> {
    compactOptions(options)
    return await explained(this.label, this.#compact(options))
  }

  async #compact(options: CompactOptions): Promise<CompactReport> {
    const { rewrite = false, signal } = options
    if (rewrite) await this.#rewrite(signal)
    signal?.throwIfAborted()
    // What is put together becomes a version, which the next reader opens: from here on a lease tells of all that is older.
    await this.#table.optimize({ cleanupOlderThan: new Date(0) })
    const held = await heldVersions(this.label)
    const cleanupOlderThan = held.length === 0 ? new Date() : await this.#oldestOf(held)
    await this.#table.optimize({ cleanupOlderThan, deleteUnverified: held.length === 0 })
    await this.#removeOthers(held)
    return { readers: held.length }
  }

  /** Gives the time of the oldest version that must stay. */
  async #oldestOf(held: readonly HeldVersion[]): Promise<Date> {
    if (held.some(({ table }) => table === null)) return new Date(0)
    const versions = new Set(
      held.filter(({ table }) => table === this.#about.table).map(({ version }) => version),
    )
    const all = await this.#table.listVersions()
    const times = all
      .filter(({ version }) => versions.has(version))
      .map(({ timestamp }) => timestamp.getTime())
    return new Date(Math.min(Date.now() - DAY_MS, ...times))
  }

  /** Copies all rows, then has the collection be the copy. A kill leaves one of the two tables, and the other goes with the next compacting. */
  async #rewrite(signal: AbortSignal | undefined): Promise<void> {
    const table = nextTable(this.#about.table)
    const copy = await this.#connection.createEmptyTable(table, schemaOf(this.#arrow, this.#about), {
      mode: 'overwrite',
    })
    const columns = [...PHOTO_COLUMNS, ...this.#about.columns].map(({ name }) => name)
    for await (const block of this.scan({ columns, embeddings: true, signal }))
      if (block.count > 0) await copy.add(tableOf(this.#arrow, this.#about, block))
    const [before, after] = [await this.count(), await copy.countRows()]
    if (before !== after)
      throw new CollectionError(
        'damaged',
        `${before} rows of ${this.label} became ${after}: nothing was changed.`,
      )
    // The copy has no index: what is said of the old one must not outlive it.
    await this.writeFile(INDEX, null)
    const file = { ...this.#about, table }
    await writeAbout(this.label, file)
    this.#about = file
    this.#table.close()
    this.#table = copy
  }

  /** Removes tables that nothing leads to any more, and that nobody reads. */
  async #removeOthers(held: readonly HeldVersion[]): Promise<void> {
    if (held.some(({ table }) => table === null)) return
    const kept = new Set([this.#about.table, ...held.map(({ table }) => table)])
    for (const name of await readdir(this.label)) {
      const [, table] = /^(photos(?:-\d+)?)\.lance$/.exec(name) ?? []
      if (table !== undefined && !kept.has(table))
        await rm(join(this.label, name), { recursive: true, force: true })
    }
  }

  async facts(): Promise<StoreFacts> {
    const { fragmentStats } = await this.#table.stats()
    const indices = await this.#table.listIndices()
    return {
      versions: (await this.#table.listVersions()).length,
      fragments: fragmentStats.numFragments,
      indices: indices.map(({ name, indexType }) => `${name} (${indexType})`),
      bytes: await sizesIn(this.label),
      readers: (await heldVersions(this.label)).length,
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const file of this.#files) await file[Symbol.asyncDispose]()
    this.#table.close()
    this.#connection.close()
    await this.#lock?.[Symbol.asyncDispose]()
    await this.#lease?.[Symbol.asyncDispose]()
  }
}

/** LanceDB gives the system's own words as text. */
async function explained<Result>(folder: string, work: Promise<Result>): Promise<Result> {
  try {
    return await work
  } catch (error) {
    const [, number] = /os error (\d+)/.exec(reasonOf(error)) ?? []
    const code = number === undefined ? undefined : SYSTEM_ERRORS.get(Number(number))
    throw code === undefined
      ? error
      : explainWriteError(Object.assign(new Error(reasonOf(error)), { code }), folder)
  }
}

/** Are Linux' numbers, most of which other systems share. */
const SYSTEM_ERRORS: ReadonlyMap<number, string> = new Map([
  [5, 'EIO'],
  [13, 'EACCES'],
  [28, 'ENOSPC'],
  [30, 'EROFS'],
  [122, 'EDQUOT'],
])

/** Names the table that follows: `photos`, `photos-2`, `photos-3`. */
function nextTable(table: string): string {
  return `${TABLE}-${Number(table.split('-')[1] ?? 1) + 1}`
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

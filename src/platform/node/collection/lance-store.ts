/**
 * Keeps a collection as a LanceDB table in a folder or on object storage, which other programs (Python's lancedb) open as well. Beside the table lie what the
 * collection is (collection.json), logs and small files, which its place keeps.
 */
import type { Table } from '@lancedb/lancedb'
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
import { blockFrom, EMBEDDING, fieldOf, schemaOf, tableOf } from './arrow-rows.js'
import type { CollectionFile } from './collection-files.js'
import { FolderPlace } from './folder-place.js'
import { LanceConnection } from './lance-connection.js'
import { sqlOf } from './lance-sql.js'
import type { Arrow } from './load-lance.js'
import type { CollectionPlace, HeldVersion, LockOptions, ReadLease, WriteLock } from './place.js'
import type { VectorBlock, VectorFile, VectorFileState } from './vector-file.js'
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

/** So many ids stand in one question. */
const IDS_AT_ONCE = 1000

const TABLE = 'photos'
const EMBEDDED = "state = 'embedded'"
/** Says how the index is. */
const INDEX = 'index.json'
/** Names where rows lie. */
const ROW_ID = '_rowid'
/** So many places of rows are remembered. */
const MOST_PLACES = 100_000
/** So many rows more are asked of the index than are wanted, and where each is a question of its own. */
const SPARE = { near: 16, far: 1 }

/** Earlier versions are kept for so long where somebody reads. */
const DAY_MS = 86_400_000

export class LanceStore implements CollectionStore {
  readonly label: string
  readonly isWritable: boolean
  readonly place: CollectionPlace
  readonly #arrow: Arrow
  readonly #lance: LanceConnection
  readonly #lock: WriteLock | null
  readonly #lease: ReadLease | null
  #about: CollectionFile
  /** Is what is known of the index; absent where that has not been read. */
  #index: { readonly state: IndexState | null } | null = null
  /** Says where rows lie that the index has found, in the version that is open: without it a row is found by looking through all ids. */
  readonly #places = new Map<string, bigint>()
  /** Are looked through, maybe, until they are forgotten. */
  readonly #files: VectorFile[] = []
  #isDisposed = false

  private constructor(parts: {
    readonly place: CollectionPlace
    readonly about: CollectionFile
    readonly lance: LanceConnection
    readonly lock: WriteLock | null
    readonly lease?: ReadLease | null
  }) {
    this.place = parts.place
    this.label = parts.place.label
    this.isWritable = parts.lock !== null
    this.#about = parts.about
    this.#arrow = parts.lance.arrow
    this.#lance = parts.lance
    this.#lock = parts.lock
    this.#lease = parts.lease ?? null
  }

  /** The store disposes of the place. Throws `CollectionError` `exists` where something lies there, `unavailable`; `FileError` `locked`. */
  static async create(
    where: CollectionPlace | string,
    about: About,
    options: LockOptions = {},
  ): Promise<LanceStore> {
    const place = placeOf(where)
    const lance = new LanceConnection(place)
    const lock = await place.lock(options)
    try {
      await place.begin(TABLE)
      // A kill between the table and what says that it is one leaves an empty table, which the next attempt replaces.
      await lance.create(TABLE, schemaOf(lance.arrow, about))
      const file = { ...about, table: TABLE }
      await place.writeAbout(file)
      return new LanceStore({ place, about: file, lance, lock })
    } catch (error) {
      await lock[Symbol.asyncDispose]()
      throw error
    }
  }

  /**
   * The store disposes of the place. Throws `CollectionError` `not-found`, `damaged`, `unavailable`, `read-only` for a mirror; `FileError` `locked` where another process may
   * change it.
   */
  static async open(where: CollectionPlace | string, options: OpenStoreOptions = {}): Promise<LanceStore> {
    const place = placeOf(where)
    const { write = false, ...waiting } = options
    const { mirrorOf, table } = await place.readAbout()
    if (write && mirrorOf !== undefined)
      throw new CollectionError(
        'read-only',
        `${place.label} is a mirror of ${mirrorOf}, and is written anew from there: change that collection instead.`,
      )
    const lance = new LanceConnection(place)
    const lock = write ? await place.lock(waiting) : null
    // It is there before the table is chosen, so that whoever compacts sees one of the two.
    const lease = lock === null ? await place.lease() : null
    try {
      // It may have changed meanwhile.
      const about = await place.readAbout()
      const version = await (await lance.open(about.table)).version()
      await lease?.hold({ table: about.table, version })
      return new LanceStore({ place, about, lance, lock, lease })
    } catch (error) {
      await lock?.[Symbol.asyncDispose]()
      await lease?.[Symbol.asyncDispose]()
      if (error instanceof CollectionError) throw error
      throw new CollectionError(
        'damaged',
        `The table ${table} of ${place.label} cannot be opened: ${reasonOf(error)}`,
        { cause: error },
      )
    }
  }

  get about(): About {
    return this.#about
  }

  /** Gives the place of the collection of regions. */
  regionsPlace(): string {
    return this.place.within('regions')
  }

  async setAbout(about: About): Promise<void> {
    await this.#switchTo({ ...about, table: this.#about.table })
  }

  async #switchTo(file: CollectionFile): Promise<void> {
    await this.#lock?.assertHeld()
    await this.place.writeAbout(file)
    this.#about = file
  }

  async refresh(): Promise<boolean> {
    if (this.isWritable) return false
    const before = { table: this.#about.table, version: await this.version() }
    // Where what is old goes at once, whoever compacts meanwhile leaves everything there.
    const mayGo = this.place.keepsMs === 0
    if (mayGo) await this.#lease?.hold({ table: null, version: null })
    const about = await this.place.readAbout()
    if (about.table === before.table) await (await this.#lance.table()).checkoutLatest()
    else await this.#lance.open(about.table)
    this.#about = about
    const version = await this.version()
    const isSame = about.table === before.table && version === before.version
    if (mayGo || !isSame) await this.#lease?.hold({ table: about.table, version })
    if (isSame) return false
    this.#index = null
    this.#places.clear()
    return true
  }

  async version(): Promise<number> {
    return await (await this.#lance.table()).version()
  }

  async count(): Promise<number> {
    return await (await this.#lance.table()).countRows()
  }

  /** Does what changes the table, as long as nobody else may. */
  async #change<Result>(change: (table: Table) => Promise<Result>): Promise<Result> {
    await this.#lock?.assertHeld()
    this.#places.clear()
    return await explained(this.label, change(await this.#lance.table()))
  }

  async *scan(choice: ScanChoice): AsyncIterable<RowBlock> {
    const { columns, embeddings = false, ids, where, signal } = scanChoice(choice)
    const all = [...PHOTO_COLUMNS, ...this.#about.columns]
    const wanted = columns.map((name) => columnOf(name, all))
    if (ids !== undefined && where === undefined && ids.every((id) => this.#places.has(id))) {
      if (ids.length > 0) yield* this.#take(ids, wanted, embeddings)
      return
    }
    const names = [...new Set(columns), ...(embeddings ? [EMBEDDING] : [])]
    const condition = where === undefined ? [] : [sqlOf(where)]
    for (const predicate of ids === undefined ? [null] : predicates(ids)) {
      const asked = [...(predicate === null ? [] : [predicate]), ...condition].join(' and ')
      const query = (await this.#lance.table()).query().select(names)
      for await (const batch of asked === '' ? query : query.where(asked)) {
        signal?.throwIfAborted()
        yield blockFrom(batch, wanted, this.#about, embeddings)
      }
    }
  }

  /** Reads rows where they lie. What they are called is known. */
  async *#take(
    ids: readonly string[],
    wanted: readonly CollectionColumn[],
    embeddings: boolean,
  ): AsyncGenerator<RowBlock> {
    const called = new Map(ids.map((id) => [this.#places.get(id) ?? 0n, id]))
    const others = wanted.filter(({ name }) => name !== 'id')
    const names = [...new Set(others.map(({ name }) => name)), ...(embeddings ? [EMBEDDING] : [])]
    const table = await this.#lance.table()
    for await (const batch of table.takeRowIds([...called.keys()]).select([...names, ROW_ID])) {
      const { values, ...block } = blockFrom(batch, others, this.#about, embeddings)
      const places = batch.getChild(ROW_ID)
      const id = Array.from({ length: batch.numRows }, (_, at) => called.get(BigInt(places?.get(at))) ?? '')
      const hasId = others.length < wanted.length
      yield { ...block, values: hasId ? { id, ...values } : values }
    }
  }

  async add(block: RowBlock): Promise<void> {
    await this.#change((table) => table.add(tableOf(this.#arrow, this.#about, block)))
  }

  async replace(block: RowBlock): Promise<void> {
    await this.#change((table) =>
      table
        .mergeInsert('id')
        .whenMatchedUpdateAll()
        .execute(tableOf(this.#arrow, this.#about, block)),
    )
  }

  async remove(ids: readonly string[]): Promise<void> {
    for (const where of predicates(ids)) await this.#change((table) => table.delete(where))
  }

  async addColumns(columns: readonly CollectionColumn[]): Promise<void> {
    const { fields } = await (await this.#lance.table()).schema()
    const has = new Set(fields.map(({ name }) => name))
    const version = await this.version()
    // A kill between the table and what is told of it leaves columns that are there already.
    const missing = columns.filter(({ name }) => !has.has(name))
    if (missing.length > 0)
      await this.#change((table) => table.addColumns(missing.map((column) => fieldOf(this.#arrow, column))))
    await this.carryVectors(version)
    await this.setAbout({ ...this.#about, columns: [...this.#about.columns, ...columns] })
  }

  log(name: LogName): Log {
    return this.place.log(name)
  }

  readFile(name: string): Promise<Uint8Array | null> {
    return this.place.readFile(name)
  }

  writeFile(name: string, bytes: Uint8Array | null): Promise<void> {
    return this.place.writeFile(name, bytes)
  }

  async vectors(options?: ProductOptions): Promise<StoredVectors> {
    const { signal } = productOptions(options)
    const file = await this.#openVectors(signal)
    if (file !== null) return { ids: file.ids, blocks: [{ dtype: 'F16', bytes: file.rows }] }
    const ids: string[] = []
    const blocks: StoredRows[] = []
    for await (const { ids: own, halves } of this.#halves(signal)) {
      for (const id of own) ids.push(id)
      blocks.push(halvesOf(halves))
    }
    return { ids, blocks }
  }

  async forgetVectors(): Promise<void> {
    for (const file of this.#files.splice(0)) await file[Symbol.asyncDispose]()
  }

  /** Reads the rows that have an embedding. */
  async *#halves(signal: AbortSignal | undefined): AsyncGenerator<VectorBlock> {
    const query = (await this.#lance.table()).query().select(['id', EMBEDDING]).where(EMBEDDED)
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
  async #openVectors(signal?: AbortSignal): Promise<VectorFile | null> {
    const file = await this.place.openVectors(await this.#vectorState(), signal)
    if (file !== null) this.#files.push(file)
    return file
  }

  async prepare(options: PrepareOptions): Promise<void> {
    const { scorer, onIndex, signal } = prepareOptions(options)
    const state = await this.#vectorState()
    const { ids, rows } = (await this.#openVectors(signal)) ?? (await this.#writeVectors(state, signal))
    const before = await this.#indexState()
    const { width } = state
    const index = await this.#change((table) =>
      refreshIndex({ table, ids, rows, width, scorer, signal, isFar: this.place.isFar }, before),
    )
    await this.writeFile(INDEX, index === null ? null : Buffer.from(JSON.stringify(index)))
    this.#index = { state: index }
    // An index is another version of the table, whose rows are the same.
    await this.carryVectors(state.version)
    if (index !== null) onIndex?.({ recall: index.recall, probes: index.probes, of: 'parts' })
  }

  async carryVectors(version: number): Promise<void> {
    await this.#lock?.assertHeld()
    const now = await this.#vectorState()
    await this.place.carryVectors({ ...now, version }, now.version)
    const { fragmentStats } = await (await this.#lance.table()).stats()
    await this.place.publish(now, fragmentStats.numFragments)
  }

  async #writeVectors(state: VectorFileState, signal: AbortSignal | undefined): Promise<VectorFile> {
    const count = await (await this.#lance.table()).countRows(EMBEDDED)
    await this.place.writeVectors(state, count, this.#halves(signal), signal)
    const file = await this.#openVectors(signal)
    if (file === null) throw new Error(`the file of vectors of version ${state.version} cannot be read back`)
    return file
  }

  async #indexState(): Promise<IndexState | null> {
    this.#index ??= { state: await this.#readIndexState() }
    return this.#index.state
  }

  async #readIndexState(): Promise<IndexState | null> {
    const bytes = await this.readFile(INDEX)
    const found = bytes === null ? null : parseJsonOrNull(new TextDecoder().decode(bytes))
    if (!isRecord(found)) return null
    const { rows, probes, recall, refine } = found
    if (typeof rows !== 'number' || typeof probes !== 'number' || typeof recall !== 'number') return null
    return { rows, probes, recall, ...(typeof refine === 'number' ? { refine } : {}) }
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
    const table = await this.#lance.table()
    const ask = async (wanted: number, among: string | undefined) => {
      // On object storage each embedding that is read is a question of its own.
      const compares = !this.place.isFar
      const found = await askIndex(table, query, wanted, { ...index, where: among, compares })
      if (this.#places.size > MOST_PLACES) this.#places.clear()
      for (const { id, place } of found) this.#places.set(id, place)
      return found
    }
    // Few photos are gone: it is quicker to leave them out afterwards than to ask for the others.
    const found = await ask(count + (this.place.isFar ? SPARE.far : SPARE.near), where)
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
    await this.#change((table) => table.optimize({ cleanupOlderThan: new Date(0) }))
    const held = await this.place.held(true)
    const { keepsMs } = this.place
    const isFree = held.length === 0 && keepsMs === 0
    const cleanupOlderThan = held.length === 0 ? new Date(Date.now() - keepsMs) : await this.#oldestOf(held)
    await this.#change((table) => table.optimize({ cleanupOlderThan, deleteUnverified: isFree }))
    await this.place.clean(await this.#vectorState(), held)
    return { readers: held.length }
  }

  /** Gives the time of the oldest version that must stay. */
  async #oldestOf(held: readonly HeldVersion[]): Promise<Date> {
    if (held.some(({ table }) => table === null)) return new Date(0)
    const versions = new Set(
      held.filter(({ table }) => table === this.#about.table).map(({ version }) => version),
    )
    const all = await (await this.#lance.table()).listVersions()
    const times = all
      .filter(({ version }) => versions.has(version))
      .map(({ timestamp }) => timestamp.getTime())
    return new Date(Math.min(Date.now() - DAY_MS, ...times))
  }

  /** Copies all rows, then has the collection be the copy. A kill leaves one of the two tables, and the other goes with the next compacting. */
  async #rewrite(signal: AbortSignal | undefined): Promise<void> {
    const table = nextTable(this.#about.table)
    await this.#lock?.assertHeld()
    const copy = await this.#lance.createBeside(table, schemaOf(this.#arrow, this.#about))
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
    this.#index = { state: null }
    copy.close()
    await this.#switchTo({ ...this.#about, table })
    await this.#lance.open(table)
  }

  async facts(): Promise<StoreFacts> {
    const table = await this.#lance.table()
    const { fragmentStats } = await table.stats()
    const indices = await table.listIndices()
    return {
      versions: (await table.listVersions()).length,
      fragments: fragmentStats.numFragments,
      indices: indices.map(({ name, indexType }) => `${name} (${indexType})`),
      bytes: await this.place.sizes(),
      readers: (await this.place.held(false)).length,
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isDisposed) return
    this.#isDisposed = true
    await this.forgetVectors()
    this.#lance.close()
    await this.#lock?.[Symbol.asyncDispose]()
    await this.#lease?.[Symbol.asyncDispose]()
    await this.place[Symbol.asyncDispose]()
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

function placeOf(where: CollectionPlace | string): CollectionPlace {
  return typeof where === 'string' ? new FolderPlace(where) : where
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

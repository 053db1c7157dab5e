/**
 * Keeps a collection in PostgreSQL with pgvector: a schema of the collection's name has the rows (`photos`), what the collection is, logs and small files. Other programs
 * ask the table in SQL.
 */
import { CollectionError } from '../../../collection/collection-error.js'
import { type CollectionColumn, columnOf } from '../../../collection/columns.js'
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
import { isRecord, type PlainRecord, parseJsonOrNull } from '../../../plain-value.js'
import { checkedFileName } from './collection-files.js'
import type { OpenStoreOptions } from './lance-store.js'
import { type PostgresAddress, postgresAddress } from './postgres-address.js'
import { type Ask, assertUnread, Connections } from './postgres-connections.js'
import { askPostgresIndex, type Indexed, refreshPostgresIndex } from './postgres-index.js'
import {
  type Answer,
  askedFor,
  blockFrom,
  boundRows,
  columnsOf,
  EMBEDDING,
  type VectorType,
} from './postgres-rows.js'
import {
  checkServer,
  extensionOf,
  hasCollection,
  makeTables,
  readAbout,
  TABLES,
  vectorTypeOf,
} from './postgres-schema.js'
import { Bound, COLUMN_TYPES, postgresSql, quoted } from './postgres-sql.js'

/** So many rows go to the server and come from it at a time. */
const ROWS_AT_ONCE = 4096
/** Says how the index is. */
const INDEX = 'index.json'
/** Is the widest vector that the extension knows. */
const MOST_WIDTH = 16_000

interface Parts {
  readonly address: PostgresAddress
  readonly connections: Connections
  readonly about: About
  readonly type: VectorType
  /** Is the schema of the extension, in quotes. */
  readonly extension: string
}

export class PostgresStore implements CollectionStore {
  readonly label: string
  readonly isWritable: boolean
  readonly #address: PostgresAddress
  readonly #connections: Connections
  readonly #type: VectorType
  readonly #extension: string
  /** Is the collection's schema, in quotes. */
  readonly #schema: string
  #about: About

  private constructor({ address, connections, about, type, extension }: Parts) {
    this.label = address.label
    this.isWritable = connections.isWritable
    this.#address = address
    this.#connections = connections
    this.#about = about
    this.#type = type
    this.#extension = extension
    this.#schema = quoted(address.collection)
  }

  /**
   * Throws `CollectionError` `exists` where there is such a collection, or a schema of that name that holds anything, `unavailable` where pg or pgvector is missing or too old, `unreachable`,
   * `forbidden`; `FileError` `locked`; RangeError for an address that says too little.
   */
  static async create(place: string, about: About, options: OpenStoreOptions = {}): Promise<PostgresStore> {
    const address = postgresAddress(place)
    if (about.width > MOST_WIDTH)
      throw new CollectionError(
        'wrong-value',
        `pgvector holds up to ${MOST_WIDTH} numbers, and an embedding has ${about.width}.`,
      )
    const connections = await Connections.open(address, options)
    try {
      await checkServer(connections, address.label)
      return await connections.change(async (ask) => {
        const extension = await extensionOf(ask, address.label, true)
        const type = await vectorTypeOf(ask, extension, about.dtype)
        await makeTables(ask, address, about, type)
        return new PostgresStore({ address, connections, about, type, extension })
      })
    } catch (error) {
      await connections[Symbol.asyncDispose]()
      throw error
    }
  }

  /** Throws `CollectionError` `not-found`, `damaged`, `unavailable`, `unreachable`, `forbidden`; `FileError` `locked` where another process may change it. */
  static async open(place: string, options: OpenStoreOptions = {}): Promise<PostgresStore> {
    const address = postgresAddress(place)
    const connections = await Connections.open(address, options.write === true ? options : null)
    try {
      const ask: Ask = (sql, values) => connections.read(sql, values)
      await checkServer(connections, address.label)
      const about = await readAbout(ask, address)
      const extension = await extensionOf(ask, address.label, false)
      const type = await vectorTypeOf(ask, extension, about.dtype)
      return new PostgresStore({ address, connections, about, type, extension })
    } catch (error) {
      await connections[Symbol.asyncDispose]()
      throw error
    }
  }

  /** Tells whether there is a collection at this address. Throws as `open`. */
  static async isThere(place: string): Promise<boolean> {
    const address = postgresAddress(place)
    await using connections = await Connections.open(address, null)
    return await hasCollection((sql, values) => connections.read(sql, values), address)
  }

  /** Removes a collection, and gives the names of what else stands in its schema, which stays with it. Throws as `open`, and `CollectionError` `in-use` while somebody reads it. */
  static async remove(place: string): Promise<readonly string[]> {
    const address = postgresAddress(place)
    await using connections = await Connections.open(address, {})
    await assertUnread(connections, address.label)
    return await connections.change(async (ask) => {
      await readAbout(ask, address)
      const schema = quoted(address.collection)
      await ask(`drop table ${TABLES.map((name) => `${schema}.${name}`).join(', ')}`)
      const others = await ask(
        `select relname from pg_class where relnamespace = to_regnamespace($1) and relkind in ('r', 'v', 'm', 'p', 'f', 'S') order by 1`,
        [schema],
      )
      if (others.length === 0) await ask(`drop schema ${schema}`)
      return others.map(([name]) => String(name))
    })
  }

  get about(): About {
    return this.#about
  }

  /** Gives the place of the collection of regions, as it is opened. */
  regionsPlace(): string {
    return this.#address.regions
  }

  async setAbout(about: About): Promise<void> {
    await this.#connections.change((ask) => this.#writeAbout(ask, about))
    this.#about = about
  }

  async #writeAbout(ask: Ask, about: About): Promise<void> {
    await ask(`update ${this.#schema}.collection set about = $1`, [JSON.stringify(about)])
  }

  /** Each question is answered from the newest rows. */
  async refresh(): Promise<boolean> {
    return false
  }

  async version(): Promise<number> {
    const [[version] = []] = await this.#connections.read(`select version from ${this.#schema}.collection`)
    return Number(version)
  }

  async count(): Promise<number> {
    const [[count] = []] = await this.#connections.read(`select count(*) from ${this.#schema}.photos`)
    return Number(count)
  }

  async *scan(choice: ScanChoice): AsyncIterable<RowBlock> {
    const { columns, embeddings = false, ids, where, signal } = scanChoice(choice)
    const all = columnsOf(this.#about)
    const wanted = [...new Set(columns)].map((name) => columnOf(name, all))
    const bound = new Bound()
    const asked = [
      ...(ids === undefined ? [] : [`id = any(${bound.as('text[]', ids)})`]),
      ...(where === undefined ? [] : [postgresSql(where, bound)]),
    ]
    const chosen = [...wanted.map(askedFor), ...(embeddings ? [this.#send] : [])]
    const sql = `select ${chosen.join(', ')} from ${this.#schema}.photos${asked.length === 0 ? '' : ` where ${asked.join(' and ')}`}`
    for await (const rows of this.#rows(sql, bound.values, signal))
      yield blockFrom(rows, wanted, embeddings ? this.#about : null)
  }

  /** Reads what is asked for piece by piece, of one state of the table. */
  async *#rows(
    sql: string,
    values: readonly unknown[],
    signal: AbortSignal | undefined,
  ): AsyncGenerator<readonly Answer[]> {
    yield* this.#connections.snapshot(async function* (ask) {
      // All rows are wanted, and not the first ones soon.
      await ask('set local cursor_tuple_fraction = 1')
      await ask(`declare rows no scroll cursor for ${sql}`, values)
      for (;;) {
        signal?.throwIfAborted()
        const rows = await ask(`fetch ${ROWS_AT_ONCE} from rows`)
        if (rows.length > 0) yield rows
        if (rows.length < ROWS_AT_ONCE) return
      }
    })
  }

  get #send(): string {
    return `${this.#type.send}(${EMBEDDING})`
  }

  async add(block: RowBlock): Promise<void> {
    await this.#write(block, async (ask, { values, from, names }) => {
      const list = names.join(', ')
      await ask(`insert into ${this.#schema}.photos (${list}) select ${list} from ${from}`, values)
    })
  }

  async replace(block: RowBlock): Promise<void> {
    await this.#write(block, async (ask, { values, from, names }) => {
      const set = names.map((name) => `${name} = t.${name}`).join(', ')
      await ask(`update ${this.#schema}.photos as p set ${set} from ${from} where p.id = t.id`, values)
    })
  }

  async #write(block: RowBlock, write: (ask: Ask, rows: ReturnType<typeof boundRows>) => Promise<void>) {
    await this.#change(async (ask) => {
      for (let at = 0; at < block.count; at += ROWS_AT_ONCE) {
        const end = Math.min(at + ROWS_AT_ONCE, block.count)
        await write(ask, boundRows(block, this.#about, this.#type, [at, end]))
      }
    })
  }

  async remove(ids: readonly string[]): Promise<void> {
    await this.#change((ask) => ask(`delete from ${this.#schema}.photos where id = any($1::text[])`, [ids]))
  }

  /** Changes rows, and with them the version. */
  async #change(work: (ask: Ask) => Promise<unknown>): Promise<void> {
    await this.#connections.change(async (ask) => {
      await work(ask)
      await ask(`update ${this.#schema}.collection set version = version + 1`)
    })
  }

  async addColumns(columns: readonly CollectionColumn[]): Promise<void> {
    const about = { ...this.#about, columns: [...this.#about.columns, ...columns] }
    const added = columns.map(({ name, type }) => `add column ${quoted(name)} ${COLUMN_TYPES[type]}`)
    await this.#change(async (ask) => {
      await ask(`alter table ${this.#schema}.photos ${added.join(', ')}`)
      await this.#writeAbout(ask, about)
    })
    this.#about = about
  }

  log(name: LogName): Log {
    const table = `${this.#schema}.logs`
    const connections = this.#connections
    const append = async (ask: Ask, entries: readonly PlainRecord[]) => {
      const lines = entries.map((entry) => JSON.stringify(entry))
      await ask(
        `insert into ${table} (name, line) select $1, line from unnest($2::text[]) with ordinality as t(line, at) order by at`,
        [name, lines],
      )
    }
    return {
      async read() {
        const lines = await connections.read(`select line from ${table} where name = $1 order by entry`, [
          name,
        ])
        return lines.map(([line]) => parseJsonOrNull(line ?? '')).filter(isRecord)
      },
      async append(entries) {
        if (entries.length > 0) await connections.change((ask) => append(ask, entries))
      },
      async replace(entries) {
        await connections.change(async (ask) => {
          await ask(`delete from ${table} where name = $1`, [name])
          await append(ask, entries)
        })
      },
    }
  }

  async readFile(name: string): Promise<Uint8Array | null> {
    const [found] = await this.#connections.read(`select bytes from ${this.#schema}.files where name = $1`, [
      checkedFileName(name),
    ])
    return found === undefined ? null : Buffer.from((found[0] ?? '').slice(2), 'hex')
  }

  async writeFile(name: string, bytes: Uint8Array | null): Promise<void> {
    const table = `${this.#schema}.files`
    checkedFileName(name)
    await this.#connections.change((ask) =>
      bytes === null
        ? ask(`delete from ${table} where name = $1`, [name])
        : ask(
            `insert into ${table} (name, bytes) values ($1, $2) on conflict (name) do update set bytes = excluded.bytes`,
            [name, Buffer.from(bytes)],
          ),
    )
  }

  /** They come in the order of their ids. */
  /** What was fetched is the caller's alone. */
  async forgetVectors(): Promise<void> {}

  async vectors(options?: ProductOptions): Promise<StoredVectors> {
    const { signal } = productOptions(options)
    const ids: string[] = []
    const blocks: StoredRows[] = []
    const sql = `select id, ${this.#send} from ${this.#schema}.photos where state = 'embedded' order by id`
    for await (const rows of this.#rows(sql, [], signal)) {
      const { values, embeddings } = blockFrom(rows, [{ name: 'id', type: 'text' }], this.#about)
      for (const id of values.id ?? []) ids.push(String(id))
      if (embeddings !== undefined) blocks.push(halvesOf(embeddings))
    }
    return { ids, blocks }
  }

  async prepare(options: PrepareOptions): Promise<void> {
    const { scorer, onIndex, signal } = prepareOptions(options)
    await this.prepareFrom(undefined, { scorer, onIndex, signal })
  }

  /** Does what `prepare` does, with an index from so many rows on. */
  async prepareFrom(from: number | undefined, { scorer, onIndex, signal }: PrepareOptions): Promise<void> {
    const { ids, blocks } = await this.vectors(signal === undefined ? {} : { signal })
    const measured = { ids, blocks, width: this.#about.width, scorer }
    const index = await refreshPostgresIndex(this.#indexed(signal), measured, from)
    await this.writeFile(INDEX, index === null ? null : Buffer.from(JSON.stringify(index)))
    if (index !== null) onIndex?.(index)
  }

  /** Gives how many candidates the index keeps; null where there is none. */
  async #candidates(): Promise<number | null> {
    const bytes = await this.readFile(INDEX)
    const found = bytes === null ? null : parseJsonOrNull(new TextDecoder().decode(bytes))
    return isRecord(found) && typeof found.probes === 'number' ? found.probes : null
  }

  #indexed(signal: AbortSignal | undefined): Indexed {
    const { width, dtype } = this.#about
    const [schema, extension, connections] = [this.#schema, this.#extension, this.#connections]
    return { connections, schema, extension, width, dtype, signal }
  }

  /** Searches read the rows themselves. */
  async carryVectors(): Promise<void> {}

  async nearestByIndex(
    query: Float32Array,
    count: number,
    options?: ByIndexOptions,
  ): Promise<readonly NearRow[] | null> {
    const { where, signal } = byIndexOptions(options)
    const candidates = await this.#candidates()
    if (candidates === null) return null
    // The query is the first value.
    const bound = new Bound()
    bound.as('text', null)
    const sql = where === undefined ? undefined : postgresSql(where, bound)
    const near = await askPostgresIndex(this.#indexed(signal), query, count, {
      candidates,
      where: sql === undefined ? undefined : { sql, values: bound.values.slice(1) },
    })
    signal?.throwIfAborted()
    // The index gives up after a while: whether there are no more that are wanted is then found out by all.
    return near === null || near.length < count ? null : near
  }

  async compact(options: CompactOptions = {}): Promise<CompactReport> {
    const { rewrite = false, signal } = compactOptions(options)
    const tables = TABLES.map((name) => `${this.#schema}.${name}`).join(', ')
    await this.#connections.maintain(signal, (ask) =>
      ask(`vacuum (${rewrite ? 'full, ' : ''}analyze) ${tables}`),
    )
    return { readers: await this.#connections.readers() }
  }

  async facts(): Promise<StoreFacts> {
    const size = async (sql: string, ...values: unknown[]) => {
      const [[bytes] = []] = await this.#connections.read(`select coalesce(${sql}, 0)`, values)
      return Number(bytes)
    }
    const table = (name: string) => `${this.#schema}.${name}`
    const indices = await this.#connections.read(
      `select c.relname, a.amname, pg_relation_size(c.oid) from pg_index i join pg_class c on c.oid = i.indexrelid join pg_am a on a.oid = c.relam
        where i.indrelid = to_regclass($1) order by 1`,
      [table('photos')],
    )
    const ofVectors = indices.filter(([, method]) => method === 'hnsw')
    const indexBytes = ofVectors.reduce((sum, [, , bytes]) => sum + Number(bytes), 0)
    return {
      versions: 1,
      fragments: 1,
      indices: ofVectors.map(([name, method]) => `${name} (${method})`),
      bytes: {
        rows: (await size('pg_total_relation_size(to_regclass($1))', table('photos'))) - indexBytes,
        vectors: indexBytes,
        logs: await size('pg_total_relation_size(to_regclass($1))', table('logs')),
        others: await size('pg_total_relation_size(to_regclass($1))', table('files')),
      },
      readers: await this.#connections.readers(),
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connections[Symbol.asyncDispose]()
  }
}

/** Keeps a collection in memory: for tests, for pages, and for what is thrown away afterwards. */
import { type ProductOptions, productOptions } from '../numerics/products.js'
import type { PlainRecord } from '../plain-value.js'
import { CollectionError } from './collection-error.js'
import type { CollectionColumn } from './columns.js'
import type { Embeddings, Row, RowBlock } from './row-block.js'
import { blockOf, halvesOf, rowsOf } from './row-block.js'
import type {
  About,
  ByIndexOptions,
  CollectionStore,
  CompactOptions,
  CompactReport,
  Log,
  LogName,
  PrepareOptions,
  ScanChoice,
  StoredVectors,
  StoreFacts,
} from './store.js'
import { byIndexOptions, compactOptions, prepareOptions, scanChoice } from './store-options.js'
import { isWanted } from './where/condition.js'

/** So many rows a block has that is read. */
const BLOCK_ROWS = 4096

interface Kept {
  readonly row: Row
  readonly embedding: Embeddings
}

/** Makes a collection that is empty, and lies in memory. */
export function createMemoryStore(about: About): CollectionStore {
  return new MemoryStore(about)
}

class MemoryStore implements CollectionStore {
  readonly label = 'the collection in memory'
  readonly isWritable = true
  #about: About
  #version = 0
  readonly #rows = new Map<string, Kept>()
  readonly #logs = new Map<LogName, readonly PlainRecord[]>()
  readonly #files = new Map<string, Uint8Array>()

  constructor(about: About) {
    this.#about = about
  }

  get about(): About {
    return this.#about
  }

  async setAbout(about: About): Promise<void> {
    this.#about = about
  }

  async version(): Promise<number> {
    return this.#version
  }

  async refresh(): Promise<boolean> {
    return false
  }

  async count(): Promise<number> {
    return this.#rows.size
  }

  async *scan(choice: ScanChoice): AsyncIterable<RowBlock> {
    scanChoice(choice)
    const { columns, embeddings, ids, where, signal } = choice
    const named = ids === undefined ? [...this.#rows.values()] : ids.flatMap((id) => this.#rows.get(id) ?? [])
    const all = where === undefined ? named : named.filter(({ row }) => isWanted(where, row))
    for (let at = 0; at < all.length; at += BLOCK_ROWS) {
      signal?.throwIfAborted()
      const part = all.slice(at, at + BLOCK_ROWS)
      const found = part.map(({ row }) => row)
      yield blockOf(found, columns, embeddings ? this.#joined(part) : undefined)
    }
  }

  #joined(kept: readonly Kept[]): Embeddings {
    const { width, dtype } = this.#about
    const joined = new (dtype === 'float16' ? Uint16Array : Float32Array)(kept.length * width)
    for (const [at, { embedding }] of kept.entries()) joined.set(embedding, at * width)
    return joined
  }

  async add(block: RowBlock): Promise<void> {
    for (const { row, embedding } of this.#apart(block)) {
      if (this.#rows.has(idOf(row))) throw new Error(`There is a row ${idOf(row)} already.`)
      this.#rows.set(idOf(row), { row, embedding })
    }
    this.#version++
  }

  async replace(block: RowBlock): Promise<void> {
    for (const { row, embedding } of this.#apart(block))
      if (this.#rows.has(idOf(row))) this.#rows.set(idOf(row), { row, embedding })
    this.#version++
  }

  #apart(block: RowBlock): readonly Kept[] {
    const { width } = this.#about
    const { embeddings } = block
    if (embeddings === undefined || embeddings.length !== block.count * width)
      throw new CollectionError(
        'wrong-value',
        `${block.count} rows need ${block.count} embeddings of ${width} numbers.`,
      )
    return rowsOf(block).map((row, at) => ({
      row,
      embedding: embeddings.slice(at * width, (at + 1) * width),
    }))
  }

  async remove(ids: readonly string[]): Promise<void> {
    for (const id of ids) this.#rows.delete(id)
    this.#version++
  }

  async addColumns(columns: readonly CollectionColumn[]): Promise<void> {
    this.#about = { ...this.#about, columns: [...this.#about.columns, ...columns] }
    this.#version++
  }

  log(name: LogName): Log {
    const entries = () => this.#logs.get(name) ?? []
    return {
      read: async () => entries(),
      append: async (added) => void this.#logs.set(name, [...entries(), ...added]),
      replace: async (all) => void this.#logs.set(name, all),
    }
  }

  async readFile(name: string): Promise<Uint8Array | null> {
    return this.#files.get(name) ?? null
  }

  async writeFile(name: string, bytes: Uint8Array | null): Promise<void> {
    if (bytes === null) this.#files.delete(name)
    else this.#files.set(name, bytes.slice())
  }

  async prepare(options: PrepareOptions): Promise<void> {
    prepareOptions(options)
  }

  async carryVectors(): Promise<void> {}

  async nearestByIndex(_query: Float32Array, _count: number, options?: ByIndexOptions): Promise<null> {
    byIndexOptions(options)
    return null
  }

  async vectors(options?: ProductOptions): Promise<StoredVectors> {
    productOptions(options)
    const kept = [...this.#rows.values()].filter(({ row }) => row.state === 'embedded')
    const ids = kept.map(({ row }) => idOf(row))
    return { ids, blocks: kept.length === 0 ? [] : [halvesOf(this.#joined(kept))] }
  }

  async forgetVectors(): Promise<void> {}

  async compact(options: CompactOptions = {}): Promise<CompactReport> {
    compactOptions(options)
    return { readers: 0 }
  }

  async facts(): Promise<StoreFacts> {
    const sizes = [...this.#rows.values()].map(({ embedding }) => embedding.byteLength)
    const bytes = { rows: sizes.reduce((sum, size) => sum + size, 0) }
    return { versions: 1, fragments: 1, indices: [], bytes, readers: 0 }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#rows.clear()
  }
}

function idOf({ id }: Row): string {
  return String(id)
}

/**
 * A collection holds photos by what they show: a row for each, with its embedding, and answers questions about them. What keeps the rows and what finds the
 * nearest ones are handed in.
 *
 * A change of rows that are there (a label, a path) first goes to a log, and is folded into the table in batches, since each change of a table makes a version
 * of it. Whoever reads sees the log's changes over the rows.
 */
import { checkOptionNames, type OptionNames } from '../check-option-names.js'
import { given } from '../encoder/choose-recipe.js'
import { differingIdentity } from '../encoder/identity-differences.js'
import type { Identity } from '../encoder/types.js'
import { isAddress } from '../is-address.js'
import type { RowScorer } from '../numerics/nearest-rows.js'
import { type ProductOptions, type Products, plainProducts, productOptions } from '../numerics/products.js'
import { plainScorer } from '../numerics/row-scorer.js'
import type { PlainRecord } from '../plain-value.js'
import { float16ToFloat32 } from '../tensor/float16.js'
import { CollectionError } from './collection-error.js'
import { type CollectionColumn, checkValue, columnOf, PHOTO_COLUMNS, type Value } from './columns.js'
import { newId } from './new-id.js'
import { type KeptPhoto, photosBlock } from './photos-block.js'
import { chosenOf, type Row, type RowBlock, rowsOf, wideHalvesOf, withColumns } from './row-block.js'
import type {
  About,
  CollectionStore,
  CompactOptions,
  CompactReport,
  PrepareOptions,
  ScanChoice,
  StoredVectors,
} from './store.js'
import { compactOptions, scanChoice } from './store-options.js'
import { unit } from './unit.js'
import { type Condition, columnsOf, isWanted } from './where/condition.js'
import { parseWhere } from './where/parse-where.js'

/** Says what a collection is put together of. */
export interface CollectionParts {
  /** Keeps the rows. The collection disposes of it. */
  readonly store: CollectionStore
  /** Finds nearest rows, and multiplies many; default: plain loops. It stays the caller's unless it is `owned`. */
  readonly products?: Products & RowScorer
  /** Is disposed of with the collection. */
  readonly owned?: AsyncDisposable
  /** Brings what the store reads up to date with what it is a copy of, each time before it turns to the newest version. What it throws, `refresh` throws. */
  readonly update?: () => Promise<void>
}

/** Says what is searched for. */
export interface NearestOptions {
  /** Counts the photos that are wanted; default 10. */
  readonly count?: number
  /** Leaves out photos that are less alike, by their cosine. */
  readonly minSimilarity?: number
  /** Asks the index, where there is one: it is quicker for millions of photos, and may miss some that are near. Default `false`. */
  readonly indexed?: boolean
  /** Ends the search, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal
}

/** Is a photo that was found. */
export interface FoundRow {
  /** Is the cosine with what was searched for. */
  readonly similarity: number
  /** Is the photo's row, without its embedding. */
  readonly row: Row
}

const PARTS = {
  store: true,
  products: true,
  owned: true,
  update: true,
} satisfies OptionNames<CollectionParts>
const NEAREST = {
  count: true,
  minSimilarity: true,
  indexed: true,
  signal: true,
} satisfies OptionNames<NearestOptions>
const PREPARE = { onIndex: true, signal: true } satisfies OptionNames<Omit<PrepareOptions, 'scorer'>>

/** So many rows are folded in at a time, so that memory holds no more of them. */
const FOLD_ROWS = 4096

/** Holds photos by what they show. `openCollection` opens one on Node; `Collection.open` one that is kept by any store. Dispose of it. */
export class Collection implements AsyncDisposable {
  /** Keeps the rows. */
  readonly store: CollectionStore
  /** Computes over many rows. */
  readonly products: Products & RowScorer
  readonly #owned: AsyncDisposable | undefined
  readonly #update: (() => Promise<void>) | undefined
  /** Holds the changes that are not folded in yet, by id. */
  #changes: Map<string, Row>
  #vectors: { readonly version: number; readonly found: Promise<StoredVectors> } | null = null

  private constructor({ store, products, owned, update }: CollectionParts, changes: Map<string, Row>) {
    this.store = store
    this.products = products ?? { ...plainProducts, ...plainScorer }
    this.#owned = owned
    this.#update = update
    this.#changes = changes
  }

  /** Opens what a store holds. Throws what the store throws. */
  static async open(parts: CollectionParts): Promise<Collection> {
    checkOptionNames(parts, PARTS)
    const { changes } = await changesOver(parts.store)
    return new Collection(parts, changes)
  }

  /**
   * Turns to what was written since the collection was opened for reading, or since the last call, and says whether anything was: rows or labels. It costs a few small
   * reads. What is asked between two calls is answered from one version, so it is not called while a search is under way. Throws what the store throws.
   */
  async refresh(): Promise<boolean> {
    if (this.store.isWritable) return false
    await this.#update?.()
    const hasTurned = await this.store.refresh()
    const { changes, hasTurnedSince } = await changesOver(this.store)
    const hasRows = hasTurned || hasTurnedSince
    if (hasRows) this.#vectors = null
    const before = this.#changes
    this.#changes = changes
    return hasRows || JSON.stringify([...changes]) !== JSON.stringify([...before])
  }

  /** Says what the collection is. */
  get about(): About {
    return this.store.about
  }

  /** Lists the columns of a row: those of every photo, then the collection's own. */
  get columns(): readonly CollectionColumn[] {
    return [...PHOTO_COLUMNS, ...this.about.columns]
  }

  /** Throws `CollectionError` `other-identity` where numbers of this identity cannot be compared with those that are here. */
  assertSame(identity: Identity): void {
    if (identity.digest === this.about.identity.digest) return
    const { found, expected } = differingIdentity(this.about.identity, identity)
    throw new CollectionError(
      'other-identity',
      `${this.store.label} was made with ${found}; what is given now has ${expected}. ` +
        'Numbers of the two cannot be compared: load the model as the collection was made, or make another collection.',
    )
  }

  /** Gives rows, with all changes, in blocks. Throws `CollectionError` `unknown-column`. */
  async *scan(choice: ScanChoice): AsyncGenerator<RowBlock> {
    scanChoice(choice)
    for (const name of choice.columns) columnOf(name, this.columns)
    const hasId = choice.columns.includes('id')
    const columns = hasId ? choice.columns : ['id', ...choice.columns]
    const { where } = choice
    if (where === undefined || this.#changes.size === 0) {
      for await (const block of this.store.scan({ ...choice, columns })) yield this.#changed(block, hasId)
      return
    }
    // The table knows nothing of the changes: rows that have some are asked for by themselves, and judged here.
    const changed = this.#changes
    for await (const block of this.store.scan({ ...choice, columns })) {
      const unchanged = chosenOf(block, (row) => !changed.has(String(row.id)))
      if (unchanged.count > 0) yield this.#changed(unchanged, hasId)
    }
    const wanted = new Set(choice.ids ?? changed.keys())
    const ids = [...changed.keys()].filter((id) => wanted.has(id))
    const { where: _where, ...others } = choice
    const looked = [...new Set([...columns, ...columnsOf(where)])]
    for await (const block of this.store.scan({ ...others, ids, columns: looked })) {
      const found = chosenOf(this.#changed(block, true), (row) => isWanted(where, row))
      if (found.count > 0) yield withColumns(found, choice.columns)
    }
  }

  /** Reads a condition on this collection's rows. Throws `CollectionError` `wrong-where` that shows the place. */
  where(text: string): Condition {
    return parseWhere(text, this.columns)
  }

  #changed({ values, ...block }: RowBlock, keepsId: boolean): RowBlock {
    const ids = values.id ?? []
    const changed = Object.entries(values).map(([name, column]) => [
      name,
      this.#changes.size === 0
        ? column
        : column.map((value, at) => changedValue(this.#changes.get(String(ids[at])), name, value)),
    ])
    const all = Object.fromEntries(changed) as RowBlock['values']
    if (keepsId) return { ...block, values: all }
    const { id: _id, ...others } = all
    return { ...block, values: others }
  }

  /** Gives these rows in the order of the ids, null for one that is not there. Throws as `scan`. */
  async rows(ids: readonly string[], choice: Partial<ScanChoice> = {}): Promise<readonly (Row | null)[]> {
    scanChoice(choice)
    const { columns = this.columns.map(({ name }) => name), where, signal } = choice
    const found = new Map<string, Row>()
    const wanted = columns.includes('id') ? columns : ['id', ...columns]
    for await (const block of this.scan({ columns: wanted, ids, where, signal }))
      for (const row of rowsOf(block)) found.set(String(row.id), row)
    return ids.map((id) => found.get(id) ?? null)
  }

  /** Adds photos; each has all columns of a photo, and a new id. Embeddings have length 1. Throws `CollectionError` `read-only`, `wrong-value`; what the store throws. */
  async add(block: RowBlock): Promise<void> {
    this.#assertWritable()
    if (block.count > 0) await this.store.add(this.#complete(block))
  }

  /**
   * Adds photos with their embeddings as the model gave them, and gives their ids. A row may name its own id, of 32 hexadecimal digits. Throws as `add`, and RangeError
   * for an embedding of another width or without length.
   */
  async addPhotos(photos: readonly KeptPhoto[]): Promise<readonly string[]> {
    const named = photos.map(({ row, embedding }) => ({
      row: { state: embedding === null ? 'failed' : 'embedded', ...row, id: row.id ?? newId() },
      embedding,
    }))
    await this.add(
      photosBlock(
        named,
        this.columns.map(({ name }) => name),
        this.about,
      ),
    )
    return named.map(({ row }) => String(row.id))
  }

  /** Gives the embedding of a photo [D], of length 1; null where there is no such photo, or it has none. Throws what the store throws. */
  async embeddingOf(id: string): Promise<Float32Array | null> {
    for await (const { embeddings, values } of this.scan({
      columns: ['norm'],
      embeddings: true,
      ids: [id],
    })) {
      if (embeddings === undefined || values.norm?.[0] === null || values.norm?.[0] === undefined) continue
      const wide = new Float32Array(embeddings.length)
      if (embeddings instanceof Uint16Array) float16ToFloat32(embeddings, wide)
      else wide.set(embeddings)
      return wide
    }
    return null
  }

  /** Replaces photos that are there. Throws as `add`. */
  async replace(block: RowBlock): Promise<void> {
    this.#assertWritable()
    if (block.count > 0) await this.store.replace(this.#complete(block))
  }

  /** Forgets photos. Throws as `add`. */
  async remove(ids: readonly string[]): Promise<void> {
    this.#assertWritable()
    if (ids.length > 0) await this.store.remove(ids)
  }

  /** Adds columns of the collection's own. One that is there already with this type is no error. Throws `CollectionError` `wrong-value` for another type. */
  async addColumns(columns: readonly CollectionColumn[]): Promise<void> {
    this.#assertWritable()
    const fresh = columns.filter(({ name, type }) => {
      const found = this.columns.find((column) => column.name === name)
      if (found !== undefined && found.type !== type)
        throw new CollectionError(
          'wrong-value',
          `The column ${name} holds ${found.type} already, not ${type}.`,
        )
      return found === undefined
    })
    if (fresh.length === 0) return
    const version = await this.store.version()
    await this.store.addColumns(fresh)
    await this.#carrySamples(version)
  }

  /** Says where the folder of each root lies. Throws `CollectionError` `read-only`; where it cannot be written. */
  async setRoots(roots: About['roots']): Promise<void> {
    this.#assertWritable()
    await this.store.setAbout({ ...this.about, roots })
  }

  /** Changes values of rows. They survive a power cut when the promise resolves. Throws `CollectionError` `unknown-column`, `wrong-value`. */
  async change(changes: readonly { readonly id: string; readonly values: Row }[]): Promise<void> {
    this.#assertWritable()
    for (const { values } of changes)
      for (const [name, value] of Object.entries(values)) checkValue(columnOf(name, this.columns), value)
    await this.store.log('changes').append(changes as readonly unknown[] as readonly PlainRecord[])
    for (const { id, values } of changes) this.#changes.set(id, { ...this.#changes.get(id), ...values })
  }

  /** Folds the changes that wait into the table. Throws as `add`; the signal's reason. */
  async fold(options: ProductOptions = {}): Promise<void> {
    const { signal } = productOptions(options)
    this.#assertWritable()
    const ids = [...this.#changes.keys()]
    if (ids.length === 0) return
    const columns = this.columns.map(({ name }) => name)
    const version = await this.store.version()
    const keepsVectors = [...this.#changes.values()].every((values) => !Object.hasOwn(values, 'state'))
    for (let at = 0; at < ids.length; at += FOLD_ROWS) {
      const part = ids.slice(at, at + FOLD_ROWS)
      for await (const block of this.scan({ columns, embeddings: true, ids: part, signal }))
        if (block.count > 0) await this.store.replace(block)
    }
    if (keepsVectors) {
      await this.store.carryVectors(version)
      await this.#carrySamples(version)
    }
    await this.store.log('changes').replace([])
    this.#changes.clear()
  }

  /** Folds the changes that wait into the table, and compacts it. Throws as `fold`; what the store throws. */
  async compact(options: CompactOptions = {}): Promise<CompactReport> {
    compactOptions(options)
    const { signal } = options
    await this.fold(given({ signal }))
    const report = await this.store.compact(options)
    await this.prepare(given({ signal: options.signal }))
    return report
  }

  /** Counts the changes that wait to be folded into the table. */
  get waiting(): number {
    return this.#changes.size
  }

  #assertWritable(): void {
    if (this.store.isWritable) return
    throw new CollectionError(
      'read-only',
      `${this.store.label} was opened for reading. Open it with { write: true } to change it.`,
    )
  }

  /** Gives a row's columns a value where they have none. */
  #complete(block: RowBlock): RowBlock {
    const nothing: readonly Value[] = new Array<Value>(block.count).fill(null)
    const columns = this.columns.map(({ name }) => [name, block.values[name] ?? nothing])
    return { ...block, values: Object.fromEntries(columns) }
  }

  /** Gives the embeddings of all photos that have one, as they are stored. Throws what the store throws; the signal's reason. */
  async vectors(options: ProductOptions = {}): Promise<StoredVectors> {
    const { signal } = productOptions(options)
    const version = await this.store.version()
    if (this.#vectors?.version !== version)
      this.#vectors = { version, found: this.store.vectors(given({ signal })) }
    return await this.#vectors.found
  }

  /** Lets go of the embeddings that `vectors` has given, and that nobody looks through any more. Throws what the store throws. */
  async forgetVectors(): Promise<void> {
    this.#vectors = null
    await this.store.forgetVectors()
  }

  /**
   * Finds the photos whose embeddings have the largest cosine with `query` [D], of any length: largest first, then by id. Photos that are gone are left out.
   * Throws RangeError for a query of another width or without length.
   */
  async nearest(query: Float32Array, options: NearestOptions = {}): Promise<readonly FoundRow[]> {
    checkOptionNames(options, NEAREST)
    const { count = 10, minSimilarity = Number.NEGATIVE_INFINITY, indexed = false, signal } = options
    const { width } = this.about
    if (query.length !== width)
      throw new RangeError(
        `The embeddings of ${this.store.label} have ${width} numbers; the query has ${query.length}.`,
      )
    // Only so is it exactly itself that a photo finds.
    const direction = wideHalvesOf(unit(query))
    const { nearestOfAll } = await import('./search/candidates.js')
    const byIndex = indexed ? await this.store.nearestByIndex(direction, count, { signal }) : null
    const near = byIndex ?? (await nearestOfAll(this, direction, count, { signal })).best.slice(0, count)
    const wanted = near.filter(({ similarity }) => similarity >= minSimilarity)
    const found = await this.rows(
      wanted.map(({ id }) => id),
      given({ signal }),
    )
    return wanted
      .flatMap(({ similarity }, at) => {
        const row = found[at]
        return row === null || row === undefined ? [] : [{ similarity, row }]
      })
      .sort((a, b) => b.similarity - a.similarity || (String(a.row.id) < String(b.row.id) ? -1 : 1))
  }

  /**
   * Makes ready what searches read, after photos were added or removed: a file of all embeddings and, of 200,000 on, an index, which is trained again where
   * photos have doubled or where it finds too little. Without it searches read the table. Throws as `add`; the signal's reason.
   */
  async prepare(options: Omit<PrepareOptions, 'scorer'> = {}): Promise<void> {
    checkOptionNames(options, PREPARE)
    this.#assertWritable()
    await this.store.prepare({ scorer: this.products, ...options })
    // Who searches on object storage would otherwise read all embeddings for it.
    const [{ pairSampleOf }, { vectorSummaryOf }] = await Promise.all([
      import('./search/pair-sample.js'),
      import('./set/vector-summary.js'),
    ])
    const looking = given({ signal: options.signal })
    const version = await this.store.version()
    await pairSampleOf(this, version, looking)
    // Here the first search of several collections makes it, for which all embeddings are at hand: it takes seconds of a processor, and a collection that is searched alone needs none.
    if (isAddress(this.store.label)) await vectorSummaryOf(this, version, looking)
  }

  /** Takes over what was drawn of an earlier version, whose embeddings are the same. */
  async #carrySamples(version: number): Promise<void> {
    const [{ carryPairSample }, { carryVectorSummary }] = await Promise.all([
      import('./search/pair-sample.js'),
      import('./set/vector-summary.js'),
    ])
    await carryPairSample(this, version)
    await carryVectorSummary(this, version)
  }

  /** Closes the store, and gives back what the collection owns. Throws what the store throws. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.store[Symbol.asyncDispose]()
    await this.#owned?.[Symbol.asyncDispose]()
  }
}

/**
 * Gives the changes that wait for the rows as they are read now, by id. Changes are folded into rows and then taken out of the log: one that was read between two
 * looks at the same rows belongs to them.
 */
async function changesOver(store: CollectionStore) {
  for (let hasTurnedSince = false; ; hasTurnedSince = true) {
    const changes = new Map<string, Row>()
    for (const { id, values } of await store.log('changes').read())
      if (typeof id === 'string') changes.set(id, { ...changes.get(id), ...(values as Row) })
    if (!(await store.refresh())) return { changes, hasTurnedSince }
  }
}

/** A change to nothing is a change. */
function changedValue(change: Row | undefined, name: string, value: Value): Value {
  return change !== undefined && Object.hasOwn(change, name) ? (change[name] ?? null) : value
}

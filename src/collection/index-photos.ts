/**
 * Brings a collection up to date with the folders of photos that it is of: what is new is embedded, what changed is embedded again, what moved keeps its row
 * and all that people have said of it, and what is not there any more is marked as gone.
 *
 * Rows are added in batches, each of which is whole or not there. After a kill the next run looks at the folders again and goes on: no row is lost or
 * doubled.
 */

import { given } from '../encoder/choose-recipe.js'
import { toHalf } from '../tensor/float16.js'
import type { Failure } from '../work/files.js'
import { LeftOut } from '../work/left-out.js'
import type { Collection } from './collection.js'
import { unit } from './collection.js'
import type { Value } from './columns.js'
import { type FindOptions, type FoundPhoto, findPhotos } from './find-photos.js'
import { newId } from './new-id.js'
import { blockOf, type Row, rowsOf } from './row-block.js'

/** Holds what was found in a photo that could be read. */
export interface ExaminedPhoto {
  /** [D] Is the embedding as the model gives it. */
  readonly embedding: Float32Array
  /** Has values of the columns of a photo. */
  readonly values: Row
}

/** Is what became of a photo. */
export type Examination = { readonly photo: FoundPhoto } & (
  | { readonly examined: ExaminedPhoto }
  /** Its content is that of a photo that is gone: it was read no further. */
  | { readonly content: string }
  | { readonly error: Error; readonly values: Row }
)

/** Reads, embeds and measures photos. */
export type Examine = (
  photos: AsyncIterable<FoundPhoto>,
  options: {
    /** Tells of a file of so many bytes whether its content may be that of a photo that is gone, which is then asked for. */
    readonly mayBeKnown: (bytes: number) => boolean
    readonly isKnown: (content: string) => boolean
    readonly signal: AbortSignal | undefined
    /** Is told what the time goes by on. */
    readonly onProgress?: ((progress: IndexSeconds) => void) | undefined
  },
) => AsyncIterable<Examination>

/** Says how a collection is brought up to date. */
export interface IndexChoice {
  /** Tries photos again that could not be read before and have not changed since; default `false`. */
  readonly retryFailed?: boolean
  /** Forgets photos that are not there any more; default `false`: they are marked as gone, and come back with the file. */
  readonly prune?: boolean
  /** Is told how far the work is. */
  readonly listener?: IndexListener
  /** Ends the work, which then rejects with the signal's reason; what was finished is kept. */
  readonly signal?: AbortSignal
}

/** Holds what a platform brings besides. */
export interface IndexOptions extends IndexChoice, Omit<FindOptions, 'leftOut'> {
  readonly examine: Examine
  /** Tells the time in milliseconds; tests hand in their own. */
  readonly now?: () => number
}

/** Says what an index run has to do. */
export interface IndexPlan {
  /** Counts the photos in the folders. */
  readonly found: number
  /** Counts those that are new or have changed. */
  readonly toRead: number
}

/** Says what could not be read. */
export interface UnreadPhoto {
  /** Leads from the root to the photo; for a folder it is the folder's. */
  readonly path: string
  /** Says why. */
  readonly reason: string
}

/** Says what the time has gone by on. */
export interface IndexSeconds {
  /** Counts seconds by activity. */
  readonly seconds: Readonly<Record<string, number>>
}

/** Is told how far the work is. */
export interface IndexListener {
  /** Is told what there is to do, when the folders have been looked through. */
  planned?(plan: IndexPlan): void
  /** Is told a photo that is in the collection now. */
  done?(path: string): void
  /** Is told what could not be read, and why. */
  failed?(unread: UnreadPhoto): void
  /** Is told what the time goes by on, often. */
  encoding?(progress: IndexSeconds): void
}

/** Counts photos by what became of them. */
export interface IndexCounts {
  /** Are in the collection as they were. */
  readonly unchanged: number
  /** Are new. */
  readonly added: number
  /** Had another content than before. */
  readonly changed: number
  /** Have another path than before, and the same content. */
  readonly moved: number
  /** Are further names of a file that has a row. */
  readonly linked: number
  /** Could not be read; each has a row with its reason. */
  readonly failed: number
  /** Are not there any more. */
  readonly gone: number
  /** Are folders, and links, that could not be looked into: what they hold is left as it was. */
  readonly unseen: number
  /** Counts by kind the photos that are not taken, such as those of formats that cannot be decoded here. */
  readonly leftOut: Readonly<Record<string, number>>
}

/** Rows are written when there are so many, or when this time has gone by since the last ones. */
const BATCH_ROWS = 512
const BATCH_MS = 15_000

/** Is what the collection knows of a photo. */
interface KnownPhoto {
  readonly id: string
  readonly root: string
  readonly path: string
  readonly file: Value
  readonly bytes: Value
  readonly modified: Value
  readonly state: Value
  readonly content: Value
}

/** Throws `CollectionError` `root-missing`; what the store throws; the signal's reason. */
export async function indexPhotos(collection: Collection, options: IndexOptions): Promise<IndexCounts> {
  const run = new IndexRun(collection, options)
  return await run.finish()
}

class IndexRun {
  readonly #collection: Collection
  readonly #options: IndexOptions
  readonly #known = new Map<string, KnownPhoto>()
  /** Holds the known photos that have not been found. */
  readonly #missing = new Map<string, KnownPhoto>()
  readonly #goneByContent = new Map<string, KnownPhoto>()
  readonly #goneSizes = new Set<number>()
  /** Is the row of each photo that is read again. */
  readonly #again = new Map<string, KnownPhoto>()
  readonly #unseen: Failure[] = []
  readonly #leftOut = new LeftOut()
  readonly #counts = { unchanged: 0, added: 0, changed: 0, moved: 0, linked: 0, failed: 0, gone: 0 }
  #rows: { readonly row: Row; readonly embedding: Float32Array | null; readonly isNew: boolean }[] = []
  #written: number
  readonly #now: () => number

  constructor(collection: Collection, options: IndexOptions) {
    this.#collection = collection
    this.#options = options
    this.#now = options.now ?? (() => performance.now())
    this.#written = this.#now()
  }

  async finish(): Promise<IndexCounts> {
    const { signal, listener, examine } = this.#options
    await this.#readKnown()
    const toRead = await this.#look()
    listener?.planned?.({ found: toRead.length + this.#counts.unchanged, toRead: toRead.length })
    const photos = (async function* () {
      yield* toRead
    })()
    try {
      const examinations = examine(photos, {
        mayBeKnown: (bytes) => this.#goneSizes.has(bytes),
        isKnown: (content) => this.#goneByContent.has(content),
        signal,
        onProgress: listener?.encoding?.bind(listener),
      })
      for await (const examination of examinations) await this.#take(examination)
    } finally {
      // What was computed is kept, however the rest ends.
      await this.#write()
    }
    signal?.throwIfAborted()
    await this.#mark()
    await this.#collection.fold(given({ signal }))
    return { ...this.#counts, unseen: this.#unseen.length, leftOut: this.#leftOut.counts }
  }

  async #readKnown(): Promise<void> {
    const columns = ['id', 'root', 'path', 'file', 'bytes', 'modified', 'state', 'content']
    for await (const block of this.#collection.scan({ columns, signal: this.#options.signal }))
      for (const row of rowsOf(block)) {
        const known = row as Row & KnownPhoto
        this.#known.set(keyOf(known), known)
      }
  }

  /** Walks through the folders, and gives the photos that have to be read. */
  async #look(): Promise<readonly FoundPhoto[]> {
    const { signal, retryFailed = false, listener } = this.#options
    const scopes = this.#options.scopes
    for (const [key, known] of this.#known)
      if (scopes.some((scope) => isWithin(known, scope))) this.#missing.set(key, known)
    const photos: FoundPhoto[] = []
    for await (const found of findPhotos({ ...this.#options, leftOut: this.#leftOut })) {
      signal?.throwIfAborted()
      if (!('reason' in found)) {
        photos.push(found)
        continue
      }
      this.#unseen.push(found)
      listener?.failed?.(found)
    }
    const owners = this.#ownersOf(photos)
    const fresh: FoundPhoto[] = []
    const again: FoundPhoto[] = []
    for (const found of photos) {
      const key = keyOf(found)
      const known = this.#known.get(key)
      this.#missing.delete(key)
      if (known === undefined && owners.get(found.file) !== key) this.#counts.linked++
      else if (known === undefined) fresh.push(found)
      else if (isSame(known, found, retryFailed)) this.#counts.unchanged++
      else {
        this.#again.set(key, known)
        again.push(found)
      }
    }
    this.#keepUnseen()
    const others = await this.#renamed(fresh)
    for (const known of this.#missing.values()) {
      if (typeof known.content !== 'string' || typeof known.bytes !== 'number') continue
      this.#goneByContent.set(known.content, known)
      this.#goneSizes.add(known.bytes)
    }
    return [...again, ...others]
  }

  /** Of several names of one file that has the row which has it already, or else the first. */
  #ownersOf(photos: readonly FoundPhoto[]): ReadonlyMap<string, string> {
    const owners = new Map<string, string>()
    for (const found of photos) {
      const key = keyOf(found)
      const before = owners.get(found.file)
      if (before === undefined || (!this.#known.has(before) && this.#known.has(key)))
        owners.set(found.file, key)
    }
    return owners
  }

  /** A folder that could not be looked through says nothing of what it holds. */
  #keepUnseen(): void {
    const { scopes } = this.#options
    for (const { path } of this.#unseen)
      for (const [key, known] of this.#missing)
        if (scopes.some((scope) => isBelow(`${scope.folder}/${relative(known.path, scope.within)}`, path)))
          this.#missing.delete(key)
  }

  /** Takes those out that are the very files of photos that are missing: they were renamed where they lie. Gives the others. */
  async #renamed(fresh: readonly FoundPhoto[]): Promise<readonly FoundPhoto[]> {
    const byFile = new Map([...this.#missing.values()].map((known) => [known.file, known]))
    const others: FoundPhoto[] = []
    for (const found of fresh) {
      const known = byFile.get(found.file)
      if (known !== undefined && isSame(known, found, true) && known.content !== null)
        await this.#move(known, found)
      else others.push(found)
    }
    return others
  }

  async #move(known: KnownPhoto, { root, path, file, modified, bytes }: FoundPhoto): Promise<void> {
    this.#missing.delete(keyOf(known))
    if (known.content !== null) this.#goneByContent.delete(String(known.content))
    const state = known.state === 'gone' ? 'embedded' : known.state
    await this.#collection.change([{ id: known.id, values: { root, path, file, modified, bytes, state } }])
    this.#counts.moved++
    this.#options.listener?.done?.(path)
  }

  async #take(examination: Examination): Promise<void> {
    const { photo } = examination
    const { listener } = this.#options
    if ('content' in examination) {
      const known = this.#goneByContent.get(examination.content)
      if (known === undefined) throw new Error(`no photo with the content ${examination.content} is gone`)
      return await this.#move(known, photo)
    }
    const known = this.#again.get(keyOf(photo))
    const isFailed = 'error' in examination
    const values = isFailed ? examination.values : examination.examined.values
    const { root, path, file, bytes, modified } = photo
    const state = isFailed ? 'failed' : 'embedded'
    const reason = isFailed ? examination.error.message : null
    const id = known?.id ?? newId()
    const row = { ...values, id, root, path, file, bytes, modified, state, reason }
    this.#rows.push({
      row,
      embedding: isFailed ? null : examination.examined.embedding,
      isNew: known === undefined,
    })
    if (isFailed) {
      this.#counts.failed++
      listener?.failed?.({ path, reason: examination.error.message })
    } else {
      this.#counts[known === undefined ? 'added' : 'changed']++
      listener?.done?.(path)
    }
    if (this.#rows.length >= BATCH_ROWS || this.#now() - this.#written > BATCH_MS) await this.#write()
  }

  async #write(): Promise<void> {
    const rows = this.#rows
    this.#rows = []
    const { width, dtype } = this.#collection.about
    for (const isNew of [true, false]) {
      const part = rows.filter((one) => one.isNew === isNew)
      if (part.length === 0) continue
      const joined = new Float32Array(part.length * width)
      const all: Row[] = []
      for (const [at, { row, embedding }] of part.entries()) {
        const norm = embedding === null ? null : lengthOf(embedding)
        if (embedding !== null) joined.set(unit(embedding), at * width)
        all.push({ ...row, norm })
      }
      const embeddings = dtype === 'float16' ? toHalf(joined) : joined
      if (isNew) await this.#collection.add(blockOf(all, this.#columnNames(), embeddings))
      else await this.#collection.replace(blockOf(await this.#withOwn(all), this.#columnNames(), embeddings))
    }
    this.#written = this.#now()
  }

  /** What people have said of a photo stays when its content changes. */
  async #withOwn(rows: readonly Row[]): Promise<readonly Row[]> {
    const columns = this.#collection.about.columns.map(({ name }) => name)
    const own = await this.#collection.rows(
      rows.map(({ id }) => String(id)),
      { columns: ['id', ...columns] },
    )
    return rows.map((row, at) => ({ ...own[at], ...row }))
  }

  #columnNames(): readonly string[] {
    return this.#collection.columns.map(({ name }) => name)
  }

  /** Marks what has not been found, or forgets it. */
  async #mark(): Promise<void> {
    const gone = [...this.#missing.values()]
    this.#counts.gone = gone.length
    if (this.#options.prune) return await this.#collection.remove(gone.map(({ id }) => id))
    const fresh = gone.filter(({ state }) => state !== 'gone')
    if (fresh.length > 0)
      await this.#collection.change(fresh.map(({ id }) => ({ id, values: { state: 'gone' } })))
  }
}

function keyOf({ root, path }: Pick<KnownPhoto, 'root' | 'path'>): string {
  return `${root}\0${path}`
}

function isSame(known: KnownPhoto, found: FoundPhoto, retryFailed: boolean): boolean {
  const isUnread = known.state === 'failed' && retryFailed
  return (
    known.state !== 'gone' && !isUnread && known.bytes === found.bytes && known.modified === found.modified
  )
}

function isWithin({ root, path }: KnownPhoto, scope: FindOptions['scopes'][number]): boolean {
  return root === scope.root && (scope.within === '' || path.startsWith(`${scope.within}/`))
}

function isBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith('/') ? folder : `${folder}/`)
}

function relative(path: string, within: string): string {
  return within === '' ? path : path.slice(within.length + 1)
}

function lengthOf(vector: Float32Array): number {
  return Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0))
}

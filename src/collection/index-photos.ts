/**
 * Brings a collection up to date with the folders of photos that it is of: what is new is embedded, what changed is embedded again, what moved keeps its row
 * and all that people have said of it, and what is not there any more is marked as gone.
 *
 * Rows are added in batches, each of which is whole or not there. After a kill the next run looks at the folders again and goes on: no row is lost or
 * doubled.
 */
import { given } from '../encoder/choose-recipe.js'
import type { Failure } from '../work/files.js'
import { LeftOut } from '../work/left-out.js'
import type { Collection } from './collection.js'
import { CollectionError } from './collection-error.js'
import { type FindOptions, type FoundPhoto, findPhotos } from './find-photos.js'
import { filmOfNameOrNull } from './frame-name.js'
import {
  groupByFilm,
  hasSameSidecars,
  isSame,
  isWithin,
  KNOWN,
  type KnownPhoto,
  keyOf,
  liesBelow,
  placeOf,
  tellsAsMany,
} from './known-photo.js'
import { newId } from './new-id.js'
import { type KeptPhoto, photosBlock } from './photos-block.js'
import { type Row, rowsOf } from './row-block.js'
import type { IndexFigures } from './store.js'

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
  /** Its content is known already: it was read no further. */
  | { readonly content: string }
  | { readonly error: Error; readonly values: Row }
)

/** Reads, embeds and measures photos. */
export type Examine = (
  photos: AsyncIterable<FoundPhoto>,
  options: {
    /** Tells whether the collection has this content already: as the photo's own, or as that of one that is gone. */
    readonly isKnown: (photo: FoundPhoto, content: string) => boolean
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
  /** Reads again what a photo's metadata and the files beside it tell. */
  readonly tell: (photo: FoundPhoto) => Promise<Row>
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

/** Says which photos were digested anew, since another rule held when they were indexed. */
export interface MeasuredAnew {
  /** Counts those that have another digest now. */
  readonly photos: number
  /** Counts those that could not be read just now, which the next run looks for again. */
  readonly left: number
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
  /** Is told which photos were digested anew, where the collection is of an earlier version of this library. */
  measured?(measured: MeasuredAnew): void
  /** Is told how well the index finds what is nearest, where there are enough photos for one. */
  indexed?(index: IndexFigures): void
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
  /** Are as they were, but for the files that belong to them, or what those tell. */
  readonly retold: number
  /** Are further names of a file that has a row. */
  readonly linked: number
  /** Could not be read; each has a row with its reason. */
  readonly failed: number
  /** Could not be read in a former run, and have not changed since. */
  readonly stillFailed: number
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

interface NewRow {
  readonly row: Row
  readonly embedding: Float32Array | null
  readonly isNew: boolean
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
  /** Is the row of each photo that is read again. */
  readonly #again = new Map<string, KnownPhoto>()
  #byFilm: ReadonlyMap<string, readonly KnownPhoto[]> | null = null
  readonly #unseen: Failure[] = []
  /** Names the roots that have photos. */
  readonly #foundIn = new Set<string>()
  readonly #leftOut = new LeftOut()
  readonly #counts = {
    unchanged: 0,
    added: 0,
    changed: 0,
    moved: 0,
    retold: 0,
    linked: 0,
    failed: 0,
    stillFailed: 0,
    gone: 0,
  }
  #rows: NewRow[] = []
  /** Hold the frames of the film that is read just now: they are written together, so that a film is there as a whole. */
  #frames: NewRow[] = []
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
        isKnown: (photo, content) => this.#isKnown(photo, content),
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
    await this.#collection.prepare(given({ signal, onIndex: listener?.indexed?.bind(listener) }))
    return { ...this.#counts, unseen: this.#unseen.length, leftOut: this.#leftOut.counts }
  }

  async #readKnown(): Promise<void> {
    for await (const block of this.#collection.scan({ columns: KNOWN, signal: this.#options.signal }))
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
        this.#foundIn.add(found.root)
        continue
      }
      this.#unseen.push(found)
      listener?.failed?.(found)
    }
    const films = photos.filter(({ isFilm }) => isFilm)
    const owners = this.#ownersOf(photos)
    const fresh: FoundPhoto[] = []
    const again: FoundPhoto[] = []
    for (const found of photos) {
      if (found.isFilm) continue
      const key = keyOf(found)
      const known = this.#known.get(key)
      this.#missing.delete(key)
      if (found.undecoded !== undefined && known?.state === 'failed') this.#leftOut.add(found.undecoded)
      else if (known === undefined && owners.get(found.file) !== key) this.#counts.linked++
      else if (known === undefined) fresh.push(found)
      else if (isSame(known, found, retryFailed)) await this.#keep(known, found)
      else {
        this.#again.set(key, known)
        again.push(found)
      }
    }
    const otherFilms = this.#keepFilms(films)
    this.#keepUnseen()
    this.#assertNotEmptied()
    const newFilms = await this.#renamedFilms(otherFilms)
    const others = this.#decoded(this.#twins(await this.#renamed(fresh)))
    for (const known of this.#missing.values())
      if (typeof known.content === 'string') this.#goneByContent.set(known.content, known)
    return [...again, ...others, ...newFilms]
  }

  /** A new photo that cannot be decoded here gets no row: it is counted, as every command counts it, and taken once it can be. */
  #decoded(fresh: readonly FoundPhoto[]): readonly FoundPhoto[] {
    return fresh.filter(({ undecoded }) => {
      if (undecoded !== undefined) this.#leftOut.add(undecoded)
      return undecoded === undefined
    })
  }

  /** Takes those films out whose frames are there as they were. Films that were not looked for are left alone. */
  #keepFilms(films: readonly FoundPhoto[]): readonly FoundPhoto[] {
    const { films: rule, retryFailed = false } = this.#options
    if (rule?.take !== true)
      for (const [key, { path }] of this.#missing)
        if (filmOfNameOrNull(path) !== null) this.#missing.delete(key)
    return films.filter((found) => {
      const known = this.#rowsOfFilm(found)
      if (known.length === 0 || !known.every((row) => isSame(row, found, retryFailed))) return true
      for (const row of known) this.#missing.delete(keyOf(row))
      this.#counts.stillFailed += known.filter(({ state }) => state === 'failed').length
      this.#counts.unchanged += known.length
      return false
    })
  }

  /** Are the frames of a film, or the row that says why it has none. */
  #rowsOfFilm(film: Pick<KnownPhoto, 'root' | 'path'>): readonly KnownPhoto[] {
    this.#byFilm ??= groupByFilm(this.#known.values())
    return this.#byFilm.get(keyOf(film)) ?? []
  }

  /** A film that was renamed takes its frames along. Gives the others. */
  async #renamedFilms(films: readonly FoundPhoto[]): Promise<readonly FoundPhoto[]> {
    const byFile = new Map([...this.#missing.values()].map((known) => [known.file, known]))
    const others: FoundPhoto[] = []
    for (const found of films) {
      const first = byFile.get(found.file)
      const path = first === undefined ? null : filmOfNameOrNull(first.path)
      const known = first === undefined || path === null ? [] : this.#rowsOfFilm({ root: first.root, path })
      if (known.length > 0 && known.every((row) => this.#missing.has(keyOf(row)) && isSame(row, found, true)))
        for (const row of known)
          await this.#move(row, { ...found, path: found.path + row.path.slice(path?.length) })
      else others.push(found)
    }
    return others
  }

  /** A photo stays as it is; what belongs to it may be other files by now, or say something else. */
  async #keep(known: KnownPhoto, found: FoundPhoto): Promise<void> {
    if (known.state === 'failed') this.#counts.stillFailed++
    if (hasSameSidecars(known, found)) {
      this.#counts.unchanged++
      return
    }
    await this.#change(known, found)
    this.#counts.retold++
  }

  /** Notes where a photo lies, and what is told of it where that may be something else. */
  async #change(known: KnownPhoto, found: FoundPhoto): Promise<void> {
    const isTold = tellsAsMany(known, found) && known.sidecars_modified === found.sidecarsModified
    const told = isTold ? {} : await this.#options.tell(found)
    const state = known.state === 'gone' ? (known.reason === null ? 'embedded' : 'failed') : known.state
    await this.#collection.change([{ id: known.id, values: { ...placeOf(found), ...told, state } }])
  }

  #isKnown(photo: FoundPhoto, content: string): boolean {
    const known = this.#again.get(keyOf(photo))
    if (known !== undefined) return known.content === content && known.reason === null
    const gone = this.#goneByContent.get(content)
    if (gone === undefined) return false
    // A second copy of what is gone is a photo of its own.
    this.#goneByContent.delete(content)
    this.#again.set(keyOf(photo), gone)
    return true
  }

  /** An empty folder where photos were is a disk that is not connected, more often than a decision. */
  #assertNotEmptied(): void {
    const { scopes, prune = false } = this.#options
    for (const { root, within, folder } of scopes) {
      const had = [...this.#known.values()].filter((known) => known.root === root && known.state !== 'gone')
      const isLost = had.length > 0 && had.every((known) => this.#missing.has(keyOf(known)))
      if (prune || within !== '' || !isLost || this.#foundIn.has(root)) continue
      throw new CollectionError(
        'root-missing',
        `${folder} is empty, where ${had.length} photos of ${root} were: nothing was changed. Is its disk connected? If the photos lie elsewhere, say where: ` +
          `plumage collection root ${root} <folder>. If they are to be forgotten: plumage index ${folder} --prune.`,
      )
    }
  }

  /** A photo whose place its twin takes, as when the camera's JPEG comes beside its raw photo or goes, keeps its row. */
  #twins(fresh: readonly FoundPhoto[]): readonly FoundPhoto[] {
    const byTwin = new Map<string, KnownPhoto>()
    for (const known of this.#missing.values())
      for (const path of Array.isArray(known.sidecars) ? known.sidecars : [])
        byTwin.set(keyOf({ root: known.root, path }), known)
    for (const found of fresh) {
      const { root } = found
      const beside = found.sidecars.map((path) => this.#missing.get(keyOf({ root, path })))
      const known = beside.find((one) => one !== undefined) ?? byTwin.get(keyOf(found))
      if (known === undefined || !this.#missing.delete(keyOf(known))) continue
      this.#again.set(keyOf(found), known)
    }
    return fresh
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
        if (scopes.some((scope) => liesBelow(known, scope, path))) this.#missing.delete(key)
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

  async #move(known: KnownPhoto, found: FoundPhoto): Promise<void> {
    this.#missing.delete(keyOf(known))
    if (known.content !== null) this.#goneByContent.delete(String(known.content))
    await this.#change(known, found)
    this.#counts.moved++
    this.#options.listener?.done?.(found.path)
  }

  async #take(examination: Examination): Promise<void> {
    const { photo } = examination
    const { listener } = this.#options
    if ('content' in examination) return await this.#takeKnown(photo)
    const known = this.#again.get(keyOf(photo)) ?? this.#known.get(keyOf(photo))
    const isFailed = 'error' in examination
    const values = isFailed ? examination.values : examination.examined.values
    const { path } = photo
    const state = isFailed ? 'failed' : 'embedded'
    const reason = isFailed ? examination.error.message : null
    const id = known?.id ?? newId()
    const row = { ...values, ...placeOf(photo), id, state, reason }
    const embedding = isFailed ? null : examination.examined.embedding
    const made = { row, embedding, isNew: known === undefined }
    this.#missing.delete(keyOf(photo))
    if (photo.frame === undefined) {
      this.#frames = []
      this.#rows.push(made)
    } else {
      this.#frames.push(made)
      if (photo.frame.isLast) await this.#endFilm(photo)
    }
    if (isFailed) {
      this.#counts.failed++
      listener?.failed?.({ path, reason: examination.error.message })
    } else {
      this.#counts[known === undefined ? 'added' : 'changed']++
      listener?.done?.(path)
    }
    if (this.#rows.length >= BATCH_ROWS || this.#now() - this.#written > BATCH_MS) await this.#write()
  }

  /** What said why a film has no frames is no row any more. */
  async #endFilm({ root, path }: FoundPhoto): Promise<void> {
    this.#rows.push(...this.#frames)
    this.#frames = []
    const failed = this.#known.get(keyOf({ root, path: filmOfNameOrNull(path) ?? path }))
    if (failed === undefined) return
    this.#missing.delete(keyOf(failed))
    await this.#collection.remove([failed.id])
  }

  async #takeKnown(photo: FoundPhoto): Promise<void> {
    const known = this.#again.get(keyOf(photo))
    if (known === undefined) throw new Error(`the content of ${photo.full} is not known`)
    if (keyOf(known) !== keyOf(photo)) return await this.#move(known, photo)
    await this.#change(known, photo)
    this.#counts.unchanged++
    this.#options.listener?.done?.(photo.path)
  }

  async #write(): Promise<void> {
    const rows = this.#rows
    this.#rows = []
    const { about } = this.#collection
    for (const isNew of [true, false]) {
      const part = rows.filter((one) => one.isNew === isNew)
      if (part.length === 0) continue
      const whole = isNew ? part : await this.#withOwn(part)
      const block = photosBlock(whole, this.#columnNames(), about)
      if (isNew) await this.#collection.add(block)
      else await this.#collection.replace(block)
    }
    this.#written = this.#now()
  }

  /** What people have said of a photo stays when its content changes. */
  async #withOwn(photos: readonly KeptPhoto[]): Promise<readonly KeptPhoto[]> {
    const columns = this.#collection.about.columns.map(({ name }) => name)
    const own = await this.#collection.rows(
      photos.map(({ row }) => String(row.id)),
      { columns: ['id', ...columns] },
    )
    return photos.map(({ row, embedding }, at) => ({ row: { ...own[at], ...row }, embedding }))
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

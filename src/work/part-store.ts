/**
 * Keeps the work done so far in a folder of parts that survives a kill at any moment. Rows are added in any order and read back by path; of two
 * rows for one path the later one counts. The numbers stay in the files: memory holds one part and an index.
 */
import type { EmbeddingRow } from '../formats/embedding-table.js'
import { elementCount } from '../tensor/shape.js'
import { below, type Files, type OpenedFile } from './files.js'
import { OutputError, ofEarlierWork } from './output-error.js'
import { type Clock, Pace } from './pace.js'
import { type PartEntry, type PartHeader, partChunks, readPartHeaderOrNull } from './part-file.js'
import { PlaceTable } from './place-table.js'
import { assertSameWork, readManifestOrNull, type WorkIdentity, writeManifest } from './work-identity.js'

/** A part ends when it has so many rows, or so many bytes, or is due by its age: what a kill can cost at most. */
const PART_ROWS = 256
const PART_BYTES = 64 * 2 ** 20
/** So many parts are kept open while rows are read in another order than they were written. */
const OPEN_PARTS = 32
const PART_NAME = /^\d{8}\.part$/

export class PartStore implements AsyncDisposable {
  readonly folder: string
  readonly #files: Files
  readonly #pace: Pace
  readonly #rowLength: number
  /** Counts the rows that fit into a part. */
  readonly #capacity: number
  readonly #places = new PlaceTable()
  readonly #opened = new Map<number, OpenedFile>()
  #nextPart = 1
  #values = new Float32Array()
  #entries: PartEntry[] = []

  private constructor(files: Files, folder: string, shape: readonly number[], clock: Clock | undefined) {
    this.#files = files
    this.#pace = new Pace(clock)
    this.folder = folder
    this.#rowLength = elementCount(shape)
    this.#capacity = Math.max(1, Math.min(PART_ROWS, Math.floor(PART_BYTES / (4 * this.#rowLength))))
  }

  /**
   * Goes on where the folder left off, or begins it. The caller holds the output's lock.
   * Throws `OutputError` `other-identity` where the parts are another model's or another preprocessing's.
   */
  static async open(
    files: Files,
    folder: string,
    identity: WorkIdentity,
    shape: readonly number[],
    clock?: Clock,
  ): Promise<PartStore> {
    await files.makeFolder(folder)
    await claimFolder(files, folder, { ...identity, shape: shape.join(' x ') })
    const store = new PartStore(files, folder, shape, clock)
    await store.#readParts()
    return store
  }

  /** Counts the inputs whose rows are in the files. */
  get size(): number {
    return this.#places.size
  }

  /** Tells whether this input is done and has not changed since. */
  has({ path, size, mtimeMs }: Pick<PartEntry, 'path' | 'size' | 'mtimeMs'>): boolean {
    const place = this.#places.get(path)
    return place !== null && place.size === size && place.mtimeMs === mtimeMs
  }

  /** Tells whether there is a row for this path, be it of a file that has changed since. */
  holds(path: string): boolean {
    return this.#places.get(path) !== null
  }

  /** Lists the paths that have rows. */
  names(): readonly string[] {
    return this.#places.names()
  }

  /** Says of which file the row of a path is, and what that image was. Throws RangeError where there is none. */
  entry(path: string): PartEntry {
    const place = this.#places.get(path)
    if (place === null) throw new RangeError(`there is no row for ${path}`)
    const { part: _part, offset: _offset, ...entry } = place
    return { path, ...entry }
  }

  /** Copies the numbers; writes a part when one is due. */
  async add(entry: PartEntry, values: Float32Array): Promise<void> {
    if (this.#values.length === 0) this.#values = new Float32Array(this.#capacity * this.#rowLength)
    this.#values.set(values, this.#entries.length * this.#rowLength)
    this.#entries.push(entry)
    if (this.#pace.isDue() || this.#entries.length === this.#capacity) await this.flush()
  }

  /** After this everything added is safe. */
  async flush(): Promise<void> {
    const entries = this.#entries
    if (entries.length === 0) return
    const part = this.#nextPart
    const path = this.#path(part)
    const values = this.#values.subarray(0, entries.length * this.#rowLength)
    await this.#files.write(path, partChunks(entries, values))
    this.#nextPart++
    this.#entries = []
    this.#pace.rest()
    const header = await readPartHeaderOrNull(this.#files, path, 4 * this.#rowLength)
    if (header === null)
      throw new OutputError('damaged', `${path} is not what was just written to it. Is the disk failing?`)
    // The names that are in memory already are kept, and not those that were read.
    this.#index(part, { entries, start: header.start })
  }

  /** Reads the rows of these paths, in their order; each must have one. The numbers are valid until the next row. */
  async *rows(paths: Iterable<string>): AsyncGenerator<EmbeddingRow> {
    const values = new Float32Array(this.#rowLength)
    const bytes = new Uint8Array(values.buffer)
    for (const path of paths) {
      const place = this.#places.get(path)
      if (place === null) throw new RangeError(`there is no row for ${path}`)
      const part = await this.#openPart(place.part)
      if ((await part.read(bytes, place.offset)) !== bytes.length) {
        throw new OutputError(
          'damaged',
          `${this.#path(place.part)} has become shorter. Run again with --restart.`,
        )
      }
      yield { path, height: place.height, width: place.width, values }
    }
  }

  /** Deletes the folder and all work in it. */
  async remove(): Promise<void> {
    await this[Symbol.asyncDispose]()
    await removeParts(this.#files, this.folder)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const file of this.#opened.values()) await file[Symbol.asyncDispose]()
    this.#opened.clear()
  }

  async #readParts(): Promise<void> {
    for (const name of await partNames(this.#files, this.folder)) {
      const path = below(this.#files, this.folder, name)
      const part = Number.parseInt(name, 10)
      this.#nextPart = Math.max(this.#nextPart, part + 1)
      const header = await readPartHeaderOrNull(this.#files, path, 4 * this.#rowLength)
      if (header === null) await this.#files.remove(path)
      else this.#index(part, header)
    }
  }

  #index(part: number, { entries, start }: PartHeader): void {
    for (const [row, entry] of entries.entries()) {
      this.#places.set(entry, part, start + row * 4 * this.#rowLength)
    }
  }

  #path(part: number): string {
    return below(this.#files, this.folder, `${String(part).padStart(8, '0')}.part`)
  }

  async #openPart(part: number): Promise<OpenedFile> {
    const kept = this.#opened.get(part)
    if (kept !== undefined) return kept
    for (const [oldest, file] of this.#opened) {
      if (this.#opened.size < OPEN_PARTS) break
      this.#opened.delete(oldest)
      await file[Symbol.asyncDispose]()
    }
    const path = this.#path(part)
    const file = await ofEarlierWork(path, this.#files.open(path))
    this.#opened.set(part, file)
    return file
  }
}

/** Such files are in a folder of parts, and what a kill or a file system has left hidden among them. */
const OWN_NAME = /^((\d{8}\.part|manifest\.json|errors\.jsonl)(\.tmp)?|\..*)$/

/** The folder is removed with all that is in it, so that one of somebody else's must not be taken for it. Throws `OutputError` `exists`. */
export async function assertOwnParts(files: Files, folder: string): Promise<void> {
  const found = await ofEarlierWork(folder, files.look(folder))
  if (found === null) return
  const names =
    found.kind === 'folder' ? (await ofEarlierWork(folder, files.list(folder))).map(({ name }) => name) : ['']
  const foreign = names.find((name) => !OWN_NAME.test(name))
  if (foreign === undefined) return
  throw new OutputError(
    'exists',
    `${foreign === '' ? folder : below(files, folder, foreign)} is none of the files that unfinished work is kept in, and stands where it would be: ` +
      'move it away, or choose another output.',
  )
}

/** Removes them at once, as far as any later run can tell: a kill half way through must not leave half of the parts. */
export async function removeParts(files: Files, folder: string): Promise<void> {
  const doomed = `${folder}.old`
  await files.remove(doomed)
  if ((await files.look(folder)) !== null) await files.rename(folder, doomed)
  await files.remove(doomed)
}

/** Lists parts in the order in which they were written. */
async function partNames(files: Files, folder: string): Promise<readonly string[]> {
  const entries = await ofEarlierWork(folder, files.list(folder))
  const names = entries.map(({ name }) => name)
  return names.filter((name) => PART_NAME.test(name)).sort()
}

/** Writes down whose work this folder is, or checks it. */
async function claimFolder(files: Files, folder: string, identity: WorkIdentity): Promise<void> {
  const path = below(files, folder, 'manifest.json')
  const found = await readManifestOrNull(files, path)
  if (found === null) {
    // Parts that nobody has signed may be anyone's.
    for (const name of await partNames(files, folder)) await files.remove(below(files, folder, name))
    await writeManifest(files, path, identity)
    return
  }
  assertSameWork(
    `${folder} holds unfinished work`,
    found,
    identity,
    'Run it as before to finish it, choose another output, or add --restart to throw that work away.',
  )
}

/**
 * Work done so far, in a folder of parts that survives a kill at any moment. Rows are added in any order and read back by path; of two rows
 * for one path the later one counts. The numbers stay on the disk: memory holds one part and an index.
 */
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { elementCount } from '../../../tensor/shape.js'
import type { EmbeddingRow } from './embedding-row.js'
import { explainWriteError, OutputError } from './output-error.js'
import { type PartEntry, readPartHeaderOrNull, writePart } from './part-file.js'
import { assertSameWork, type WorkIdentity } from './work-identity.js'
import { writeWhole } from './write-whole.js'

/** A part ends when it has so many rows, or so many bytes, or is so old: what a kill can cost at most. */
const PART_ROWS = 256
const PART_BYTES = 64 * 2 ** 20
/**
 * How old grows with the run, from the first to the last of these, at this share of its time: a run that is soon killed has moved forward all the
 * same, and one of many days does not leave a million parts.
 */
const PART_MS = [500, 30_000] as const
const PART_SHARE = 0.05
/** Parts kept open while rows are read in another order than they were written. */
const OPEN_PARTS = 32

interface Place {
  readonly part: number
  readonly offset: number
  readonly entry: PartEntry
}

export class PartStore implements AsyncDisposable {
  readonly folder: string
  readonly shape: readonly number[]
  readonly #rowLength: number
  readonly #places = new Map<string, Place>()
  readonly #handles = new Map<number, FileHandle>()
  #nextPart = 1
  #values = new Float32Array()
  #entries: PartEntry[] = []
  #since = 0
  readonly #opened = performance.now()

  private constructor(folder: string, shape: readonly number[]) {
    this.folder = folder
    this.shape = shape
    this.#rowLength = elementCount(shape)
  }

  /**
   * Goes on where the folder left off, or begins it. The caller holds the output's lock.
   * Throws `OutputError` `other-identity` where the parts are another model's or another preprocessing's.
   */
  static async open(folder: string, identity: WorkIdentity, shape: readonly number[]): Promise<PartStore> {
    try {
      await mkdir(folder, { recursive: true })
      await claimFolder(folder, { ...identity, shape: shape.join(' x ') })
      const store = new PartStore(folder, shape)
      await store.#readParts()
      return store
    } catch (error) {
      throw explainWriteError(error, folder)
    }
  }

  /** Inputs whose rows are on the disk. */
  get size(): number {
    return this.#places.size
  }

  /** Whether this input is done and has not changed since. */
  has({ path, size, mtimeMs }: Pick<PartEntry, 'path' | 'size' | 'mtimeMs'>): boolean {
    const entry = this.#places.get(path)?.entry
    return entry !== undefined && entry.size === size && entry.mtimeMs === mtimeMs
  }

  /** Copies the numbers; writes a part when one is due. */
  async add(entry: PartEntry, values: Float32Array): Promise<void> {
    const capacity = Math.max(1, Math.min(PART_ROWS, Math.floor(PART_BYTES / (4 * this.#rowLength))))
    if (this.#values.length === 0) this.#values = new Float32Array(capacity * this.#rowLength)
    if (this.#entries.length === 0) this.#since = performance.now()
    this.#values.set(values, this.#entries.length * this.#rowLength)
    this.#entries.push(entry)
    if (this.#entries.length === capacity || this.#isDue()) await this.flush()
  }

  /** After this everything added is safe. */
  async flush(): Promise<void> {
    const entries = this.#entries
    if (entries.length === 0) return
    const part = this.#nextPart
    const path = this.#path(part)
    await writePart(path, entries, this.#values.subarray(0, entries.length * this.#rowLength))
    this.#nextPart++
    this.#entries = []
    const header = await readPartHeaderOrNull(path, 4 * this.#rowLength)
    if (header === null)
      throw new OutputError('damaged', `${path} is not what was just written to it. Is the disk failing?`)
    this.#index(part, header.entries, header.start)
  }

  /** The rows of these paths, in their order; each must have one. The numbers are valid until the next row. */
  async *rows(paths: Iterable<string>): AsyncGenerator<EmbeddingRow> {
    const values = new Float32Array(this.#rowLength)
    const bytes = new Uint8Array(values.buffer)
    for (const path of paths) {
      const place = this.#places.get(path)
      if (place === undefined) throw new RangeError(`there is no row for ${path}`)
      const { bytesRead } = await (await this.#handle(place.part)).read(bytes, 0, bytes.length, place.offset)
      if (bytesRead !== bytes.length) {
        throw new OutputError(
          'damaged',
          `${this.#path(place.part)} has become shorter. Run again with --restart.`,
        )
      }
      yield { path, height: place.entry.height, width: place.entry.width, values }
    }
  }

  /** Deletes the folder and all work in it. */
  async remove(): Promise<void> {
    await this[Symbol.asyncDispose]()
    await removeParts(this.folder)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const handle of this.#handles.values()) await handle.close()
    this.#handles.clear()
  }

  async #readParts(): Promise<void> {
    const names = (await readdir(this.folder)).filter((name) => PART_NAME.test(name)).sort()
    for (const name of names) {
      const part = Number.parseInt(name, 10)
      this.#nextPart = Math.max(this.#nextPart, part + 1)
      const header = await readPartHeaderOrNull(join(this.folder, name), 4 * this.#rowLength)
      if (header === null) await rm(join(this.folder, name))
      else this.#index(part, header.entries, header.start)
    }
  }

  #isDue(): boolean {
    const now = performance.now()
    const [shortest, longest] = PART_MS
    const age = Math.min(Math.max((now - this.#opened) * PART_SHARE, shortest), longest)
    return now - this.#since > age
  }

  #index(part: number, entries: readonly PartEntry[], start: number): void {
    for (const [row, entry] of entries.entries()) {
      this.#places.set(entry.path, { part, offset: start + row * 4 * this.#rowLength, entry })
    }
  }

  #path(part: number): string {
    return join(this.folder, `${String(part).padStart(8, '0')}.part`)
  }

  async #handle(part: number): Promise<FileHandle> {
    const kept = this.#handles.get(part)
    if (kept !== undefined) return kept
    if (this.#handles.size >= OPEN_PARTS) {
      const [oldest, handle] = [...this.#handles][0]
      this.#handles.delete(oldest)
      await handle.close()
    }
    const handle = await open(this.#path(part), 'r')
    this.#handles.set(part, handle)
    return handle
  }
}

/** At once, as far as any later run can tell: a kill half way through must not leave half of the parts. */
export async function removeParts(folder: string): Promise<void> {
  const doomed = `${folder}.old`
  await rm(doomed, { recursive: true, force: true })
  await rename(folder, doomed).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
  })
  await rm(doomed, { recursive: true, force: true })
}

const PART_NAME = /^\d{8}\.part$/

/** Writes down whose work this folder is, or checks it. */
async function claimFolder(folder: string, identity: WorkIdentity): Promise<void> {
  const path = join(folder, 'manifest.json')
  const text = await readFile(path, 'utf8').catch(() => null)
  if (text === null) {
    // Parts that nobody has signed may be anyone's.
    for (const name of await readdir(folder)) if (PART_NAME.test(name)) await rm(join(folder, name))
    await writeWhole(path, (file) => file.write(`${JSON.stringify(identity, null, 1)}\n`))
    return
  }
  assertSameWork(
    `${folder} holds unfinished work`,
    JSON.parse(text) as WorkIdentity,
    identity,
    'Run it as before to finish it, choose another output, or add --restart to throw that work away.',
  )
}

/**
 * A folder with one feature file per image. `manifest.json` says what made them, `index.jsonl` lists every finished file with the image it comes
 * from; a file counts as done once it stands there, so an interrupted run can go on.
 */
import { type FileHandle, mkdir, open, readFile, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { explainWriteError } from './output-error.js'
import { assertSameWork, type WorkIdentity } from './work-identity.js'
import { writeNpyArray } from './write-npy.js'
import { type NamedArray, writeSafetensors } from './write-safetensors.js'
import { writeWhole } from './write-whole.js'

export type FeatureFormat = 'npy' | 'safetensors'

/** One line of `index.jsonl`. */
export interface FeatureEntry {
  /** The image, as the person gave it. */
  readonly path: string
  /** The feature file, relative to the folder. */
  readonly file: string
  /** Bytes and time of the image file: it is done again when they change. */
  readonly size: number
  readonly mtimeMs: number
  /** Pixels. */
  readonly height: number
  readonly width: number
  /** Of the patch grid. */
  readonly rows: number
  readonly columns: number
}

export class FeatureFolder implements AsyncDisposable {
  readonly #folder: string
  readonly #format: FeatureFormat
  readonly #identity: WorkIdentity
  readonly #entries: Map<string, FeatureEntry>
  readonly #owners = new Map<string, string>()
  readonly #index: FileHandle

  private constructor(
    folder: string,
    format: FeatureFormat,
    identity: WorkIdentity,
    entries: Map<string, FeatureEntry>,
    index: FileHandle,
  ) {
    this.#folder = folder
    this.#format = format
    this.#identity = identity
    this.#entries = entries
    this.#index = index
    for (const { file, path } of entries.values()) this.#owners.set(file, path)
  }

  /**
   * The caller holds the folder's lock. Throws `OutputError` `other-identity` where the files in it were made otherwise, unless they are to be
   * made anew.
   */
  static async open(
    folder: string,
    format: FeatureFormat,
    identity: WorkIdentity,
    restart: boolean,
  ): Promise<FeatureFolder> {
    try {
      await mkdir(folder, { recursive: true })
      const manifest = join(folder, 'manifest.json')
      const list = join(folder, 'index.jsonl')
      if (restart) await rm(list, { force: true })
      else await checkManifest(folder, manifest, identity)
      await writeWhole(manifest, (file) => file.write(`${JSON.stringify(identity, null, 1)}\n`))
      const entries = await readEntries(list)
      // Rewritten without the line that a kill has cut off, and without lines that later ones replaced.
      await writeWhole(list, async (file) => {
        for (const entry of entries.values()) await file.write(`${JSON.stringify(entry)}\n`)
      })
      return new FeatureFolder(folder, format, identity, entries, await open(list, 'a'))
    } catch (error) {
      throw explainWriteError(error, folder)
    }
  }

  /** Whether the image's file is there and the image has not changed since. */
  async has({ path, size, mtimeMs }: Pick<FeatureEntry, 'path' | 'size' | 'mtimeMs'>): Promise<boolean> {
    const entry = this.#entries.get(path)
    if (entry === undefined || entry.size !== size || entry.mtimeMs !== mtimeMs) return false
    return stat(join(this.#folder, entry.file)).then(
      () => true,
      () => false,
    )
  }

  async add(image: Omit<FeatureEntry, 'file'>, arrays: readonly NamedArray[]): Promise<void> {
    const file = `${nameInside(image.path)}.${this.#format}`
    const owner = this.#owners.get(file)
    if (owner !== undefined && owner !== image.path) {
      throw new Error(`its file ${file} belongs to ${owner} already: give one of them another output folder`)
    }
    this.#owners.set(file, image.path)
    const target = join(this.#folder, file)
    await mkdir(dirname(target), { recursive: true }).catch((error) => {
      throw explainWriteError(error, target)
    })
    if (this.#format === 'npy') await writeNpyArray(target, arrays[0].values, arrays[0].shape)
    else await writeSafetensors(target, arrays, { ...this.#identity, image: image.path })
    const entry: FeatureEntry = { ...image, file }
    await this.#index.writeFile(`${JSON.stringify(entry)}\n`)
    this.#entries.set(image.path, entry)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#index.close()
  }
}

/** `/photos/../a.jpg` -> `photos/__/a.jpg`: no path leads out of the folder. */
export function nameInside(path: string): string {
  const parts = path.split(/[\\/]+/).filter((part) => part !== '' && part !== '.')
  return parts.map((part) => (part === '..' ? '__' : part.replace(/:$/, ''))).join('/')
}

async function checkManifest(folder: string, path: string, identity: WorkIdentity): Promise<void> {
  const text = await readFile(path, 'utf8').catch(() => null)
  if (text === null) return
  assertSameWork(
    `${folder} holds features`,
    JSON.parse(text) as WorkIdentity,
    identity,
    'Choose another folder, or add --restart to write over them.',
  )
}

async function readEntries(path: string): Promise<Map<string, FeatureEntry>> {
  const entries = new Map<string, FeatureEntry>()
  const text = await readFile(path, 'utf8').catch(() => '')
  for (const line of text.split('\n').slice(0, -1)) {
    try {
      const entry = JSON.parse(line) as FeatureEntry
      entries.set(entry.path, entry)
    } catch {
      // A line that a crash has garbled: its image is done again.
    }
  }
  return entries
}

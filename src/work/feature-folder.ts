/**
 * Keeps a folder with one feature file per image. `manifest.json` says what made them, `index.jsonl` lists every finished file with the image it
 * comes from; a file counts as done once it stands there, so an interrupted run can go on.
 */
import type { Chunk } from '../formats/chunk.js'
import { npyArray } from '../formats/npy.js'
import { type NamedArray, safetensorsFile } from '../formats/safetensors.js'
import { below, type Files, type GrowingFile } from './files.js'
import { hasFields, jsonOrNull } from './json-object.js'
import type { InputFile } from './look-at.js'
import { ofEarlierWork } from './output-error.js'
import { assertSameWork, readManifestOrNull, type WorkIdentity, writeManifest } from './work-identity.js'

export const FEATURE_FORMATS = ['npy', 'safetensors'] as const
export type FeatureFormat = (typeof FEATURE_FORMATS)[number]

/** Is one line of `index.jsonl`. */
interface FeatureEntry {
  /** Names the image as the person gave it. */
  readonly path: string
  /** Names the feature file, from the folder on. */
  readonly file: string
  /** Counts the bytes of the image file, which is done again when they or its time change. */
  readonly size: number
  readonly mtimeMs: number
  /** Counts pixels of the image as used, as `width` does. */
  readonly height: number
  readonly width: number
  /** Counts patches, as `columns` does. */
  readonly rows: number
  readonly columns: number
}

interface FeatureFolderOptions {
  readonly files: Files
  readonly folder: string
  readonly format: FeatureFormat
  readonly identity: WorkIdentity
  /** Has everything made anew, whoever made what is there. */
  readonly restart: boolean
}

export class FeatureFolder implements AsyncDisposable {
  readonly #options: FeatureFolderOptions
  readonly #entries: Map<string, FeatureEntry>
  /** Tells which image each file belongs to. */
  readonly #owners = new Map<string, string>()
  readonly #index: GrowingFile

  private constructor(options: FeatureFolderOptions, entries: Map<string, FeatureEntry>, index: GrowingFile) {
    this.#options = options
    this.#entries = entries
    this.#index = index
    for (const { file, path } of entries.values()) this.#owners.set(file, path)
  }

  /**
   * The caller holds the folder's lock. Throws `OutputError` `other-identity` where the files in it were made otherwise, unless they are to be
   * made anew.
   */
  static async open(options: FeatureFolderOptions): Promise<FeatureFolder> {
    const { files, folder, identity, restart } = options
    await files.makeFolder(folder)
    const manifest = below(files, folder, 'manifest.json')
    const list = below(files, folder, 'index.jsonl')
    if (restart) await files.remove(list)
    else await checkManifest(files, folder, manifest, identity)
    await writeManifest(files, manifest, identity)
    const entries = await readEntries(files, list)
    // It is rewritten without the line that a kill has cut off, and without lines that later ones replaced.
    await files.write(list, linesOf(entries))
    return new FeatureFolder(options, entries, await files.append(list))
  }

  /** Tells whether the image's file is there and the image has not changed since. */
  async has({ path, size, mtimeMs }: InputFile): Promise<boolean> {
    const entry = this.#entries.get(path)
    if (entry === undefined || entry.size !== size || entry.mtimeMs !== mtimeMs) return false
    const { files, folder } = this.#options
    return files.look(below(files, folder, entry.file)).then(
      (found) => found !== null,
      () => false,
    )
  }

  async add(image: Omit<FeatureEntry, 'file'>, arrays: readonly NamedArray[]): Promise<void> {
    const { files, folder, format } = this.#options
    const file = `${nameInside(image.path)}.${format}`
    const owner = this.#owners.get(file)
    if (owner !== undefined && owner !== image.path) {
      throw new Error(`its file ${file} belongs to ${owner} already: give one of them another output folder`)
    }
    this.#owners.set(file, image.path)
    const target = below(files, folder, file)
    const end = file.lastIndexOf('/')
    if (end > 0) await files.makeFolder(below(files, folder, file.slice(0, end)), target)
    await files.write(target, this.#chunks(image.path, arrays))
    const entry: FeatureEntry = { ...image, file }
    await this.#index.write(lineOf(entry))
    this.#entries.set(image.path, entry)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#index[Symbol.asyncDispose]()
  }

  #chunks(image: string, arrays: readonly NamedArray[]): readonly Chunk[] {
    const { format, identity } = this.#options
    if (format === 'safetensors') return safetensorsFile(arrays, { ...identity, image })
    const [array, ...more] = arrays
    if (array !== undefined && more.length === 0) return npyArray(array.values, array.shape)
    throw new RangeError(`an npy file holds one array, and these are ${arrays.length}`)
  }
}

/** `/photos/../a.jpg` -> `photos/__/a.jpg`: no path leads out of the folder. */
function nameInside(path: string): string {
  const parts = path.split(/[\\/]+/).filter((part) => part !== '' && part !== '.')
  return parts.map((part) => (part === '..' ? '__' : part.replace(/:$/, ''))).join('/')
}

function* linesOf(entries: ReadonlyMap<string, FeatureEntry>): Generator<string> {
  for (const entry of entries.values()) yield lineOf(entry)
}

function lineOf(entry: FeatureEntry): string {
  return `${JSON.stringify(entry)}\n`
}

async function checkManifest(
  files: Files,
  folder: string,
  path: string,
  identity: WorkIdentity,
): Promise<void> {
  const found = await readManifestOrNull(files, path)
  if (found === null) return
  assertSameWork(
    `${folder} holds features`,
    found,
    identity,
    'Choose another folder, or add --restart to write over them.',
  )
}

/** A line that a crash has garbled is left out, as is the last one where its end is missing: their images are done again. */
async function readEntries(files: Files, path: string): Promise<Map<string, FeatureEntry>> {
  const entries = new Map<string, FeatureEntry>()
  const text = await ofEarlierWork(path, files.readText(path))
  if (text === null) return entries
  for (const line of text.split('\n').slice(0, -1)) {
    const entry = jsonOrNull(line)
    if (isEntry(entry)) entries.set(entry.path, entry)
  }
  return entries
}

function isEntry(value: unknown): value is FeatureEntry {
  return hasFields(value, ['path', 'file'], ['size', 'mtimeMs', 'height', 'width', 'rows', 'columns'])
}

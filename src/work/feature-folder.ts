/**
 * Keeps a folder with one feature file per image. `manifest.json` says what made them, `index.jsonl` lists every finished file with the image it
 * comes from; a file counts as done once it stands there, so an interrupted run can go on.
 */
import type { Chunk } from '../formats/chunk.js'
import { jsonText } from '../formats/json-text.js'
import { npyArray } from '../formats/npy.js'
import { type NamedArray, safetensorsFile } from '../formats/safetensors.js'
import { type PlainRecord, type PlainValue, parseJsonOrNull } from '../plain-value.js'
import { FeatureNames } from './feature-names.js'
import { below, type Files, type GrowingFile, type OutputLock } from './files.js'
import { hasFields } from './json-object.js'
import type { InputFile } from './look-at.js'
import { OutputError, ofEarlierWork } from './output-error.js'
import { Pace } from './pace.js'
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
  /** Counts the frames of the same film that were taken before this one. */
  readonly frame?: number
}

interface FeatureFolderOptions {
  readonly files: Files
  readonly folder: string
  readonly format: FeatureFormat
  readonly identity: WorkIdentity
  /** Says what made the files, for those who read them. */
  readonly metadata: Readonly<Record<string, string>>
  readonly lock: OutputLock
  /** Has everything made anew, whoever made what is there. */
  readonly restart: boolean
}

export class FeatureFolder implements AsyncDisposable {
  readonly #options: FeatureFolderOptions
  readonly #entries: Map<string, FeatureEntry>
  readonly #names: FeatureNames
  /** A file without a line that is older is somebody else's; a younger one was left behind by a run that was killed. */
  readonly #ownSinceMs: number
  readonly #index: GrowingFile
  readonly #pace = new Pace()

  private constructor(
    options: FeatureFolderOptions,
    entries: Map<string, FeatureEntry>,
    ownSinceMs: number,
    index: GrowingFile,
  ) {
    this.#options = options
    this.#entries = entries
    this.#ownSinceMs = ownSinceMs
    this.#index = index
    this.#names = new FeatureNames(options.format)
    for (const { file, path } of entries.values()) this.#names.take(file, path)
  }

  /**
   * The caller holds the folder's lock. Throws `OutputError` `other-identity` where the files in it were made otherwise, unless they are to be
   * made anew.
   */
  static async open(options: FeatureFolderOptions): Promise<FeatureFolder> {
    const { files, folder, identity, metadata, restart } = options
    await files.makeFolder(folder)
    const manifest = below(files, folder, 'manifest.json')
    const list = listOf(options)
    const found = restart ? null : await manifestOrNull(files, folder, manifest, identity)
    if (restart) await files.remove(list)
    // It is written once, so that its time says since when runs have written here.
    if (found === null) {
      await writeManifest(files, manifest, {
        ...metadata,
        ...identity,
        ...(restart ? { [TAKEN_OVER]: 'yes' } : {}),
      })
    }
    const since = found === null ? Number.POSITIVE_INFINITY : ((await files.look(manifest))?.mtimeMs ?? 0)
    const isTakenOver = restart || found?.[TAKEN_OVER] !== undefined
    const entries = await readEntries(files, list)
    // It is rewritten without the line that a kill has cut off, and without lines that later ones replaced.
    await files.write(list, linesOf(entries))
    return new FeatureFolder(
      options,
      entries,
      isTakenOver ? Number.NEGATIVE_INFINITY : since,
      await files.append(list),
    )
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

  /** Lists what is in it, with the images it comes from. */
  entries(): Iterable<FeatureEntry> {
    return this.#entries.values()
  }

  async add(image: Omit<FeatureEntry, 'file'>, arrays: readonly NamedArray[]): Promise<void> {
    const { files, folder, lock } = this.#options
    await lock.assertHeld()
    const file = this.#names.nameFor(image.path)
    const target = below(files, folder, file)
    const there = this.#entries.has(image.path) ? null : await files.look(target)
    if (there !== null && there.mtimeMs < this.#ownSinceMs) {
      throw new Error(`${target} is there already and is not written over: choose another output folder`)
    }
    const end = file.lastIndexOf('/')
    if (end > 0) await files.makeFolder(below(files, folder, file.slice(0, end)), target)
    await files.write(target, this.#chunks(image.path, arrays))
    const entry: FeatureEntry = { ...image, file }
    await this.#index.write(lineOf(entry))
    await this.#assertListed(target)
    this.#entries.set(image.path, entry)
    if (this.#pace.isDue()) await this.flush()
  }

  /** After this everything added is safe: each file is from the start, and its line in the list from here on. */
  async flush(): Promise<void> {
    await this.#index.sync()
    this.#pace.rest()
  }

  /** Whoever removes the folder under way removes the list, which is written to all the same: what no list has would be nobody's file. */
  async #assertListed(target: string): Promise<void> {
    const { files } = this.#options
    const list = listOf(this.#options)
    if ((await files.look(list)) !== null) return
    await files.remove(target)
    throw new OutputError(
      'not-writable',
      `${list} was removed while this run wrote to it, and with it what tells which images are done. Nothing more is written: run again.`,
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#index[Symbol.asyncDispose]()
  }

  #chunks(image: string, arrays: readonly NamedArray[]): readonly Chunk[] {
    const { format, identity, metadata } = this.#options
    if (format === 'safetensors') return safetensorsFile(arrays, { ...metadata, ...identity, image })
    const [array, ...more] = arrays
    if (array !== undefined && more.length === 0) return npyArray(array.values, array.shape)
    throw new RangeError(`an npy file holds one array, and these are ${arrays.length}`)
  }
}

function listOf({ files, folder }: FeatureFolderOptions): string {
  return below(files, folder, 'index.jsonl')
}

function* linesOf(entries: ReadonlyMap<string, FeatureEntry>): Generator<string> {
  for (const entry of entries.values()) yield lineOf(entry)
}

function lineOf(entry: FeatureEntry): string {
  return `${jsonText(entry)}\n`
}

/** Says in a manifest that whoever began the work gave leave to write over all that was there. */
const TAKEN_OVER = 'restarted'

async function manifestOrNull(
  files: Files,
  folder: string,
  path: string,
  identity: WorkIdentity,
): Promise<PlainRecord | null> {
  const found = await readManifestOrNull(files, path)
  if (found === null) return null
  assertSameWork(
    `${folder} holds features`,
    found,
    identity,
    'Choose another folder, or add --restart to write over them.',
  )
  return found
}

/** A line that a crash has garbled is left out, as is the last one where its end is missing: their images are done again. */
async function readEntries(files: Files, path: string): Promise<Map<string, FeatureEntry>> {
  const entries = new Map<string, FeatureEntry>()
  const text = await ofEarlierWork(path, files.readText(path))
  if (text === null) return entries
  for (const line of text.split('\n').slice(0, -1)) {
    const entry = parseJsonOrNull(line)
    if (isEntry(entry)) entries.set(entry.path, entry)
  }
  return entries
}

function isEntry(value: PlainValue): value is FeatureEntry & PlainRecord {
  return hasFields(value, ['path', 'file'], ['size', 'mtimeMs', 'height', 'width', 'rows', 'columns'])
}

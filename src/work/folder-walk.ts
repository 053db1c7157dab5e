/**
 * Finds the images of a folder and of all below it. Each folder is walked once, whatever links lead to it, and what cannot be read is a failure
 * among what is found.
 */
import { compareNames } from '../compare-names.js'
import { isRawName, RAW_BYTES } from '../image/camera-raw.js'
import { type FileKind, fileKindOrNull, KIND_BYTES } from '../image/image-format.js'
import { below, type Failure, type Files, type FolderEntry } from './files.js'
import { isImageName } from './image-extensions.js'
import { FILM_KIND, type LeftOut, leftOutKindOrNull } from './left-out.js'

/** So many entries of a folder are looked at together. */
const AT_ONCE = 32
const GARBLED = 'its name is no text in UTF-8, as all names here must be: rename it'

/** Says what becomes of the films of folders and lists. */
export interface FilmRule {
  /** Tells whether they are taken, as images are, or counted with what is left out. */
  readonly take: boolean
  /** Says how they are taken, for people. */
  readonly advice: string
  /** Goes by the name alone. */
  readonly isNamed: (name: string) => boolean
  /** @param kind is what the first bytes tell; undefined where they have not been read */
  readonly isFilm: (path: string, kind?: FileKind | null) => Promise<boolean>
}

/** Is what an entry of a folder turns out to be; null for what nobody misses. */
type Judged =
  | { readonly is: 'input' | 'folder' | 'linked-folder'; readonly path: string }
  | { readonly is: 'left-out'; readonly kind: string }
  | { readonly is: 'failure'; readonly failure: Failure }
  | null

export interface FolderWalkOptions {
  readonly files: Files
  /** Tells whether a file of this kind can be decoded here. */
  readonly decodes: (kind: FileKind) => boolean
  /** Counts the photos that are not taken. */
  readonly leftOut: LeftOut
  /** Says what becomes of films; default: they are left out as files that are no images. */
  readonly films?: FilmRule
  /** Takes photos as well that cannot be decoded here, and is told of what kind each is before it comes; default: they are counted as left out. */
  readonly onUndecoded?: (path: string, kind: string) => void
  /** Is told the names of the files in each folder, before any of them comes. */
  readonly onFolder?: (folder: string, names: readonly string[]) => void
}

export class FolderWalk {
  readonly #files: Files
  readonly #decodes: FolderWalkOptions['decodes']
  readonly #leftOut: LeftOut
  readonly #films: FilmRule | undefined
  readonly #onUndecoded: FolderWalkOptions['onUndecoded']
  readonly #onFolder: FolderWalkOptions['onFolder']
  readonly #walked = new Set<string>()

  constructor({ files, decodes, leftOut, films, onUndecoded, onFolder }: FolderWalkOptions) {
    this.#files = files
    this.#decodes = decodes
    this.#leftOut = leftOut
    this.#films = films
    this.#onUndecoded = onUndecoded
    this.#onFolder = onFolder
  }

  /**
   * Goes depth first, through entries in the order of their names; memory holds one folder's listing a level. Folders that links lead to come
   * last: each image has its own name wherever it has one among what is walked.
   */
  async *below(folder: string): AsyncGenerator<string | Failure> {
    const links = [folder]
    for (let next = links.shift(); next !== undefined; next = links.shift()) yield* this.#walk(next, links)
  }

  async *#walk(folder: string, links: string[]): AsyncGenerator<string | Failure> {
    const entries = await this.#listOnce(folder)
    if (entries instanceof Error) {
      yield { path: folder, reason: `the folder cannot be looked through: ${entries.message}` }
      return
    }
    this.#onFolder?.(
      folder,
      entries.filter((entry) => isPlainFile(entry)).map(({ name }) => name),
    )
    for (let at = 0; at < entries.length; at += AT_ONCE) {
      const group = entries.slice(at, at + AT_ONCE)
      for (const judged of await Promise.all(group.map((entry) => this.#judge(entry, folder)))) {
        if (judged === null) continue
        if (judged.is === 'input') yield judged.path
        else if (judged.is === 'folder') yield* this.#walk(judged.path, links)
        else if (judged.is === 'linked-folder') links.push(judged.path)
        else if (judged.is === 'failure') yield judged.failure
        else if (judged.is === 'left-out') this.#leftOut.add(judged.kind)
      }
    }
  }

  /** Gives nothing for a folder that has been walked. */
  async #listOnce(folder: string): Promise<readonly FolderEntry[] | Error> {
    try {
      const found = await this.#files.look(folder)
      if (found === null) return new Error('it is gone')
      if (this.#walked.has(found.id)) return []
      this.#walked.add(found.id)
      return [...(await this.#files.list(folder))].sort((a, b) => compareNames(a.name, b.name))
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error))
    }
  }

  async #judge(entry: FolderEntry, folder: string): Promise<Judged> {
    const { name, kind } = entry
    const path = below(this.#files, folder, name)
    const isNamed = isImageName(name) || this.#films?.isNamed(name) === true
    if (name.startsWith('.')) return isNamed ? { is: 'left-out', kind: 'hidden' } : null
    if (entry.garbled) {
      const isWanted = kind === 'folder' || kind === 'link' || isNamed
      return isWanted ? { is: 'failure', failure: { path, reason: GARBLED } } : null
    }
    if (kind === 'folder') return { is: 'folder', path }
    if (kind === 'link') return this.#judgeLink(name, path, folder)
    // What is called an image and is none fails by itself where it is read.
    if (isImageName(name)) return { is: 'input', path }
    return kind === 'file' ? this.#judgeContent(name, path) : null
  }

  async #judgeLink(name: string, path: string, folder: string): Promise<Judged> {
    try {
      const found = await this.#files.look(path)
      if (found?.kind === 'folder') {
        return (await this.#isAround(folder, found.id)) ? null : { is: 'linked-folder', path }
      }
      if (isImageName(name)) return { is: 'input', path }
      if (found === null) return { is: 'left-out', kind: 'dangling' }
      return found.kind === 'file' ? this.#judgeContent(name, path) : null
    } catch (error) {
      // There may be a folder of images behind it.
      const reason = error instanceof Error ? error.message : String(error)
      return { is: 'failure', failure: { path, reason } }
    }
  }

  /** A link to a folder around it is a way back, and not followed: it would lead to all that lies beside what was asked for. */
  async #isAround(folder: string, id: string): Promise<boolean> {
    let last = ''
    for (let around = folder; ; around = below(this.#files, around, '..')) {
      const found = await this.#files.look(around)
      if (found === null || found.id === last) return false
      if (found.id === id) return true
      last = found.id
    }
  }

  /** A name that says nothing may hide an image. */
  async #judgeContent(name: string, path: string): Promise<Judged> {
    try {
      await using file = await this.#files.open(path)
      const read = async (bytes: Uint8Array) => bytes.subarray(0, await file.read(bytes, 0))
      let found = fileKindOrNull(await read(new Uint8Array(KIND_BYTES)))
      if (found?.format === 'tiff') found = fileKindOrNull(await read(new Uint8Array(RAW_BYTES)))
      const isRaw = found?.format === 'tiff' && isRawName(name)
      if (found !== null && !isRaw && this.#decodes(found)) return { is: 'input', path }
      if (this.#films !== undefined && (await this.#films.isFilm(path, found)))
        return this.#films.take ? { is: 'input', path } : { is: 'left-out', kind: FILM_KIND }
      const kind = leftOutKindOrNull(name, found)
      if (kind === null) return null
      if (this.#onUndecoded === undefined) return { is: 'left-out', kind }
      this.#onUndecoded(path, kind)
      return { is: 'input', path }
    } catch {
      return { is: 'left-out', kind: 'unreadable' }
    }
  }
}

/** Links count: what they lead to may be a file. */
function isPlainFile({ name, kind, garbled }: FolderEntry): boolean {
  return kind !== 'folder' && garbled !== true && !name.startsWith('.')
}

/**
 * Turns what a person typed (files, folders, globs, addresses, `-`) into images, one by one: in the order typed, sorted inside folders and globs, each
 * once. Paths keep the form in which they were given, so a relative folder yields relative paths.
 */
import { compareNames } from '../compare-names.js'
import type { Failure, Files, FoundFile } from './files.js'
import { type FilmRule, FolderWalk, type FolderWalkOptions } from './folder-walk.js'
import { IMAGE_EXTENSIONS, isDecodedName } from './image-extensions.js'
import { InputError } from './input-error.js'
import { inputOfAddress, isAddress, isObject, isPrefix } from './input-of-address.js'
import { FILM_KIND, type LeftOut, leftOutKindOrNull } from './left-out.js'
import { type ListStream, readStdin } from './read-stdin.js'
import type { ImageAddress, WorkInput } from './work-input.js'

export interface CollectOptions extends FolderWalkOptions {
  /** Says what becomes of films. */
  readonly films: FilmRule
  /** Is read where an input is `-`: an image, or a list of paths. */
  readonly list: ListStream
  /** Ends each path of that list; a line break unless given. */
  readonly separator?: '\n' | '\0'
  /** Lists what lies below an address, where prefixes of buckets are taken. */
  readonly listBelow?: (
    address: string,
    signal: AbortSignal | undefined,
  ) => AsyncIterable<Pick<ImageAddress, 'address' | 'version'>>
  /** Has no bucket be asked for anything. */
  readonly offline?: boolean
  readonly signal?: AbortSignal
}

/**
 * Yields inputs as soon as they are known. A file that does not exist is yielded too, so that it fails by itself where it is read; a folder that
 * cannot be read is yielded as a failure.
 * Throws `InputError` `nothing-found` for a folder without images, a glob without a match and an empty list.
 */
export async function* collectImages(
  inputs: readonly string[],
  options: CollectOptions,
): AsyncGenerator<WorkInput> {
  const collection = new Collection(options)
  for (const input of inputs) {
    for await (const found of collection.expand(input)) {
      options.signal?.throwIfAborted()
      if (await collection.isNew(found)) yield found
    }
  }
}

class Collection {
  readonly #options: CollectOptions
  readonly #walk: FolderWalk
  readonly #seen = new Set<string>()
  /** Tells folders by what they are and not by the way to them; null for what is none. */
  readonly #folders = new Map<string, string | null>()

  constructor(options: CollectOptions) {
    this.#options = options
    this.#walk = new FolderWalk(options)
  }

  async *expand(text: string): AsyncGenerator<WorkInput> {
    if (text === '-') return yield* this.#fromStdin()
    if (isPrefix(text)) return yield* this.#fromPrefix(text)
    const { input, found } = await this.#lookUp(text)
    if (typeof input !== 'string') return yield input
    if (found?.kind === 'folder') return yield* this.#fromFolder(input)
    // What an address says is no pattern.
    const matches =
      found === null && input === text ? await this.#options.files.glob(text, this.#options) : null
    if (matches === null) yield input
    else yield* this.#fromGlob(text, matches)
  }

  /** A file of that very name goes before an address, of which nothing is asked before its turn, but in a bucket whether it is a folder. */
  async #lookUp(text: string): Promise<{ readonly input: WorkInput; readonly found: FoundFile | null }> {
    const { files, offline = false } = this.#options
    const asked = isAddress(text) && (offline || !isObject(text)) ? `./${text}` : text
    const found = await lookOrNull(files, asked)
    if (found !== null || !isAddress(text)) return { input: text, found }
    const input = inputOfAddress(text, files)
    return { input, found: typeof input === 'string' ? await lookOrNull(files, input) : null }
  }

  async isNew(input: WorkInput): Promise<boolean> {
    if (typeof input !== 'string' && !('address' in input)) return true
    const key = typeof input === 'string' ? await this.#keyOf(input) : input.address
    if (this.#seen.has(key)) return false
    this.#seen.add(key)
    return true
  }

  /** Is the same for all ways to an entry of a folder, whatever links lead to that folder; two names of one file are two images. */
  async #keyOf(path: string): Promise<string> {
    const { files } = this.#options
    const full = files.resolve(path)
    const end = Math.max(full.lastIndexOf('/'), full.lastIndexOf(files.separator))
    const folder = full.slice(0, end + 1)
    let id = this.#folders.get(folder)
    if (id === undefined) {
      id = (await lookOrNull(files, folder))?.id ?? null
      this.#folders.set(folder, id)
    }
    return id === null ? full : `${id}/${full.slice(end + 1)}`
  }

  async *#fromStdin(): AsyncGenerator<WorkInput> {
    const { list, ...options } = this.#options
    let count = 0
    let isEmpty = true
    for await (const found of readStdin(list, { separator: '\n', ...options })) {
      if (typeof found !== 'string') return yield { path: '-', bytes: found }
      isEmpty = false
      for await (const input of this.#listed(found)) {
        count++
        yield input
      }
    }
    // They may have been found on the way to another input.
    if (count > 0 || (!isEmpty && this.#seen.size > 0)) return
    const { films, leftOut } = this.#options
    throw new InputError(
      'nothing-found',
      isEmpty
        ? 'The list on standard input is empty: expected one path a line, or the bytes of one image.'
        : `The list on standard input leads to no image (${leftOut.line() ?? 'its folders have none'}).${filmAdvice(films, leftOut)}`,
    )
  }

  async *#listed(text: string): AsyncGenerator<WorkInput> {
    const { input, found } = await this.#lookUp(text)
    const { films, leftOut } = this.#options
    if (typeof input !== 'string') yield input
    else if (found?.kind === 'folder') yield* this.#walk.below(input)
    else if (films.take || !(await films.isFilm(input))) yield input
    else leftOut.add(FILM_KIND)
  }

  async *#fromFolder(folder: string): AsyncGenerator<string | Failure> {
    const { leftOut } = this.#options
    let count = 0
    for await (const found of this.#walk.below(folder)) {
      count++
      yield found
    }
    // It may have been walked on the way to another input.
    if (count > 0 || this.#seen.size > 0) return
    throw new InputError(
      'nothing-found',
      `There is no image in the folder ${folder} or below: looked for names ending in ${IMAGE_EXTENSIONS.join(' ')}, and into all ` +
        `other files (${leftOut.line() ?? 'hidden files are left out'}). Name other files by themselves to have them tried.${filmAdvice(this.#options.films, leftOut)}`,
    )
  }

  /** Objects are told by their names, since looking into each would fetch it; films are not taken from there. */
  async *#fromPrefix(prefix: string): AsyncGenerator<ImageAddress> {
    const { listBelow, leftOut, films, decodes, signal, offline = false } = this.#options
    if (listBelow === undefined || offline)
      throw new InputError(
        'nothing-found',
        `${prefix} is not listed${offline ? ', since the network may not be used (--offline)' : ' here'}. Name files instead.`,
      )
    let count = 0
    for await (const { address, version } of listBelow(prefix, signal)) {
      const name = address.slice(address.lastIndexOf('/') + 1)
      const isImage = isDecodedName(name, decodes)
      if (isImage && !name.startsWith('.')) {
        count++
        yield { path: address, address, ...(version === undefined ? {} : { version }) }
        continue
      }
      const kind = isImage ? 'hidden' : films.isNamed(name) ? FILM_KIND : leftOutKindOrNull(name, null)
      if (kind !== null) leftOut.add(kind)
    }
    if (count > 0 || this.#seen.size > 0) return
    throw new InputError(
      'nothing-found',
      `There is no image below ${prefix}: looked for names ending in ${IMAGE_EXTENSIONS.join(' ')} (${leftOut.line() ?? 'there are none of other kinds'}).`,
    )
  }

  /** Of several ways to one file the shortest counts, which goes through the fewest links. */
  async *#fromGlob(
    pattern: string,
    matches: readonly (string | Failure)[],
  ): AsyncGenerator<string | Failure> {
    const depth = (path: string) => path.split(/[\\/]/).length
    const paths = matches.filter((match) => typeof match === 'string')
    if (matches.length === 0) {
      throw new InputError(
        'nothing-found',
        `No file matches ${pattern} (looked from ${this.#options.files.base}), and none has that very name.`,
      )
    }
    yield* matches.filter((match) => typeof match !== 'string')
    const shortest = new Map<string, string>()
    for (const path of paths.sort((a, b) => depth(a) - depth(b) || compareNames(a, b))) {
      const key = await this.#keyOf(path)
      if (!shortest.has(key)) shortest.set(key, path)
    }
    yield* [...shortest.values()].sort(compareNames)
  }
}

function filmAdvice({ advice }: FilmRule, { counts }: LeftOut): string {
  return counts[FILM_KIND] === undefined ? '' : ` ${advice}`
}

/** What cannot be looked at may be a pattern; where it is none, it is yielded as a file and fails where it is read. */
function lookOrNull(files: Files, path: string) {
  return files.look(path).catch(() => null)
}

/**
 * Turns what a person typed (files, folders, globs, `-`) into image paths, one by one: in the order typed, sorted inside folders and globs,
 * each file once. Paths keep the form in which they were given, so a relative folder yields relative paths.
 */
import { compareNames } from './compare-names.js'
import { below, type Files, type FolderEntry } from './files.js'
import { IMAGE_EXTENSIONS, isImageName } from './image-extensions.js'
import { InputError } from './input-error.js'
import { type ListStream, readList } from './read-list.js'

export interface CollectOptions {
  readonly files: Files
  /** Is read where an input is `-`. */
  readonly list: ListStream
  /** Ends each path of that list; a line break unless given. */
  readonly separator?: '\n' | '\0'
  readonly signal?: AbortSignal
}

/**
 * Yields paths as soon as they are known. A file that does not exist is yielded too, so that it fails by itself where it is read.
 * Throws `InputError` `nothing-found` for a folder without images, a glob without a match and an empty list.
 */
export async function* collectImages(
  inputs: readonly string[],
  options: CollectOptions,
): AsyncGenerator<string> {
  const seen = new Set<string>()
  for (const input of inputs) {
    for await (const path of expand(input, options)) {
      options.signal?.throwIfAborted()
      const key = options.files.resolve(path)
      if (seen.has(key)) continue
      seen.add(key)
      yield path
    }
  }
}

async function* expand(input: string, options: CollectOptions): AsyncGenerator<string> {
  const { files } = options
  if (input === '-') return yield* fromList(options)
  const found = await lookOrNull(files, input)
  if (found?.kind === 'folder') return yield* fromFolder(input, files)
  const matches = found === null ? await files.glob(input, options) : null
  if (matches === null) yield input
  else yield* fromGlob(input, matches, files)
}

async function* fromList({ list, files, ...options }: CollectOptions): AsyncGenerator<string> {
  let count = 0
  for await (const path of readList(list, { separator: '\n', ...options })) {
    count++
    if ((await lookOrNull(files, path))?.kind === 'folder') yield* walk(path, files)
    else yield path
  }
  if (count === 0)
    throw new InputError('nothing-found', 'The list on standard input is empty: expected one path a line.')
}

async function* fromFolder(folder: string, files: Files): AsyncGenerator<string> {
  let count = 0
  for await (const path of walk(folder, files)) {
    count++
    yield path
  }
  if (count > 0) return
  throw new InputError(
    'nothing-found',
    `There is no image in the folder ${folder} or below: looked for names ending in ${IMAGE_EXTENSIONS.join(' ')} ` +
      '(hidden files are left out). Name other files by themselves to have them tried.',
  )
}

function* fromGlob(pattern: string, matches: readonly string[], { base }: Files): Generator<string> {
  if (matches.length === 0) {
    throw new InputError(
      'nothing-found',
      `No file matches ${pattern} (looked from ${base}), and none has that very name.`,
    )
  }
  yield* [...matches].sort(compareNames)
}

/** Goes depth first, through entries in the order of their names; memory holds one folder's listing a level. */
async function* walk(folder: string, files: Files): AsyncGenerator<string> {
  for (const entry of await listFolder(folder, files)) {
    if (entry.name.startsWith('.')) continue
    const path = below(files, folder, entry.name)
    if (await isFolder(entry, path, folder, files)) yield* walk(path, files)
    else if (entry.kind !== 'folder' && isImageName(entry.name)) yield path
  }
}

async function listFolder(folder: string, files: Files): Promise<readonly FolderEntry[]> {
  try {
    return [...(await files.list(folder))].sort((a, b) => compareNames(a.name, b.name))
  } catch (cause) {
    const { code } = cause as { readonly code?: string }
    throw new InputError(
      'unreadable-folder',
      `The folder ${folder} cannot be listed (${code ?? String(cause)}). Is it yours to read?`,
      { cause },
    )
  }
}

/** Links to folders are followed, but not to one that holds the link itself: that would never end. */
async function isFolder(entry: FolderEntry, path: string, folder: string, files: Files): Promise<boolean> {
  if (entry.kind !== 'link') return entry.kind === 'folder'
  if ((await lookOrNull(files, path))?.kind !== 'folder') return false
  const [target, around] = await Promise.all([files.realPath(path), files.realPath(folder)])
  return !(around + files.separator).startsWith(target + files.separator)
}

/** What cannot be looked at may be a pattern; where it is none, it is yielded as a file and fails where it is read. */
function lookOrNull(files: Files, path: string) {
  return files.look(path).catch(() => null)
}

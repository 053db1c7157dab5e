/**
 * From what a person typed (files, folders, globs, `-`) to image paths, one by one: in the order typed, sorted inside folders and globs, each
 * file once. Paths keep the form in which they were given, so a relative folder yields relative paths.
 */
import type { Dirent } from 'node:fs'
import { readdir, realpath, stat } from 'node:fs/promises'
import { join, resolve, sep } from 'node:path'
import type { Readable } from 'node:stream'
import { compareNames } from './compare-names.js'
import { IMAGE_EXTENSIONS, isImageName } from './image-extensions.js'
import { InputError } from './input-error.js'
import { readList } from './read-list.js'

export interface CollectOptions {
  /** What relative inputs are relative to. */
  readonly cwd: string
  /** Where `-` reads its list. */
  readonly stdin: Readable
  /** What ends a path in that list; default a line break. */
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
      const key = resolve(options.cwd, path)
      if (seen.has(key)) continue
      seen.add(key)
      yield path
    }
  }
}

async function* expand(input: string, options: CollectOptions): AsyncGenerator<string> {
  if (input === '-') return yield* fromList(options)
  const found = await stat(resolve(options.cwd, input)).catch(() => null)
  if (found?.isDirectory()) return yield* fromFolder(input, options)
  if (found === null) {
    const { isDynamicPattern } = await import('tinyglobby')
    if (isDynamicPattern(input)) return yield* fromGlob(input, options)
  }
  yield input
}

async function* fromList(options: CollectOptions): AsyncGenerator<string> {
  let count = 0
  for await (const path of readList(options.stdin, { separator: '\n', ...options })) {
    count++
    const isFolder = (await stat(resolve(options.cwd, path)).catch(() => null))?.isDirectory()
    if (isFolder) yield* walk(path, options.cwd)
    else yield path
  }
  if (count === 0)
    throw new InputError('nothing-found', 'The list on standard input is empty: expected one path a line.')
}

async function* fromFolder(folder: string, { cwd }: CollectOptions): AsyncGenerator<string> {
  let count = 0
  for await (const path of walk(folder, cwd)) {
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

async function* fromGlob(pattern: string, { cwd, signal }: CollectOptions): AsyncGenerator<string> {
  const { glob } = await import('tinyglobby')
  const paths = await glob(pattern, {
    cwd,
    expandDirectories: false,
    ...(signal === undefined ? {} : { signal }),
  })
  if (paths.length === 0) {
    throw new InputError(
      'nothing-found',
      `No file matches ${pattern} (looked from ${cwd}), and none has that very name.`,
    )
  }
  yield* paths.sort(compareNames)
}

/** Depth first, entries in order of their names, one folder's listing in memory per level. */
async function* walk(folder: string, cwd: string): AsyncGenerator<string> {
  const entries = await listFolder(folder, cwd)
  for (const entry of entries) {
    if (entry.name.startsWith('.')) continue
    const path =
      folder.endsWith('/') || folder.endsWith(sep) ? folder + entry.name : folder + sep + entry.name
    if (await isFolder(entry, join(resolve(cwd, folder), entry.name))) yield* walk(path, cwd)
    else if (!entry.isDirectory() && isImageName(entry.name)) yield path
  }
}

async function listFolder(folder: string, cwd: string): Promise<Dirent[]> {
  try {
    const entries = await readdir(resolve(cwd, folder), { withFileTypes: true })
    return entries.sort((a, b) => compareNames(a.name, b.name))
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? String(cause)
    throw new InputError(
      'unreadable-folder',
      `The folder ${folder} cannot be listed (${reason}). Is it yours to read?`,
      { cause },
    )
  }
}

/** Links to folders are followed, but not to one that holds the link itself: that would never end. */
async function isFolder(entry: Dirent, path: string): Promise<boolean> {
  if (entry.isDirectory()) return true
  if (!entry.isSymbolicLink()) return false
  const found = await stat(path).catch(() => null)
  if (!found?.isDirectory()) return false
  const [target, link] = await Promise.all([realpath(path), realpath(join(path, '..'))])
  return !(link + sep).startsWith(target + sep)
}

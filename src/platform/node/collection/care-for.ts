/** Looks after collections that lie in folders: checks them, moves their roots, and removes them. */
import { readdir, rm, rmdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { checkOptionNames, type OptionNames } from '../../../check-option-names.js'
import { type CollectionProblem, checkCollection } from '../../../collection/check-collection.js'
import type { Collection } from '../../../collection/collection.js'
import { CollectionError } from '../../../collection/collection-error.js'
import { filmOfNameOrNull } from '../../../collection/frame-name.js'
import { moveRoot, type RootMatch } from '../../../collection/roots.js'
import { NodeFiles } from '../files/node-files.js'
import { lockOutput } from '../files/output-lock.js'
import { ABOUT, purposeOf, readAbout } from './collection-files.js'
import { contentOfFrame, hashOfFile } from './content-hash.js'
import { heldVersions } from './leases.js'

/** Says how a collection is checked. */
export interface CheckPhotosOptions {
  /** Reads every photo and compares its content; default `false`: size and time are compared. */
  readonly deep?: boolean
  /** Is told how many rows have been looked at. */
  readonly onProgress?: (rows: number) => void
  /** Ends the work, which then throws the signal's reason. */
  readonly signal?: AbortSignal
}

const CHECK = { deep: true, onProgress: true, signal: true } satisfies OptionNames<CheckPhotosOptions>

/** Finds out whether a collection is as it should be, and gives each problem as it is found. Throws what cannot be read; the signal's reason. */
export async function* checkPhotos(
  collection: Collection,
  options: CheckPhotosOptions = {},
): AsyncGenerator<CollectionProblem> {
  checkOptionNames(options, CHECK)
  const { deep = false, onProgress, signal } = options
  const files = new NodeFiles(process.cwd())
  yield* checkCollection(collection, { files, hash: deep ? contentOf : undefined, onProgress, signal })
}

async function contentOf(file: string, path: string, signal: AbortSignal | undefined): Promise<string> {
  const content = await hashOfFile(file, signal)
  const film = filmOfNameOrNull(path)
  return film === null ? content : contentOfFrame(content, path.slice(film.length))
}

/** Says how a root is moved. */
export interface MoveRootOptions {
  /** Moves it also where none of its photos is found; default `false`. */
  readonly force?: boolean
  /** Ends the looking, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal
}

const MOVE = { force: true, signal: true } satisfies OptionNames<MoveRootOptions>

/**
 * Says that the photos of a root lie in another folder by now. No photo is read; sizes and times of up to a thousand are compared.
 *
 * @throws `CollectionError` `root-missing` for an unknown root, a folder that is not there or one that has none of the photos (unless `force`), `exists` where
 *   another root has the folder, `read-only`; the signal's reason
 */
export async function moveCollectionRoot(
  collection: Collection,
  root: string,
  folder: string,
  options: MoveRootOptions = {},
): Promise<RootMatch> {
  checkOptionNames(options, MOVE)
  return await moveRoot(collection, root, resolve(folder), {
    ...options,
    files: new NodeFiles(process.cwd()),
  })
}

/**
 * Removes a collection. Photos stay where they are, as does anything in its folder that is none of its files. A kill leaves a collection that can be removed
 * again. Gives the names of what stays.
 *
 * @throws `CollectionError` `not-found` for a folder that is no collection, `in-use` while somebody reads it; `FileError` `locked`
 */
export async function removeCollection(folder: string): Promise<readonly string[]> {
  await readAbout(folder)
  await using _lock = await lockOutput(folder)
  const readers = await heldVersions(folder)
  if (readers.length > 0)
    throw new CollectionError(
      'in-use',
      `${folder} is open in ${readers.length} other places: close them first.`,
    )
  const kept: string[] = []
  for (const name of await readdir(folder)) {
    if (name === ABOUT) continue
    if (purposeOf(name) === null) kept.push(name)
    else await rm(join(folder, name), { recursive: true, force: true })
  }
  // It comes last: without it nothing would know what the rest was.
  await rm(join(folder, ABOUT), { force: true })
  if (kept.length === 0) await rmdir(folder)
  return kept
}

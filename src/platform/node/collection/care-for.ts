/** Looks after collections: checks them, moves their roots, and removes them. */
import { createHash } from 'node:crypto'
import { checkOptionNames, type OptionNames } from '../../../check-option-names.js'
import { type CollectionProblem, checkCollection } from '../../../collection/check-collection.js'
import type { Collection } from '../../../collection/collection.js'
import { CollectionError } from '../../../collection/collection-error.js'
import { filmOfNameOrNull } from '../../../collection/frame-name.js'
import { moveRoot, type RootMatch } from '../../../collection/roots.js'
import { PlacedFiles } from '../files/placed-files.js'
import { OBJECT } from '../storage/object-path.js'
import { contentOfFrame, hashOfFile } from './content-hash.js'
import { IndexedPlaces } from './indexed-places.js'
import { placeAt } from './open-collection.js'
import { photoBytes } from './photo-bytes.js'
import { isPostgresAddress, postgresAddress } from './postgres-address.js'

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
  const files = new IndexedPlaces(process.cwd())
  const { about } = collection
  if (about.job === undefined)
    for (const folder of Object.values(about.roots)) if (OBJECT.test(folder)) await files.add(folder, signal)
  yield* checkCollection(collection, { files, hash: deep ? contentOf : undefined, onProgress, signal })
}

async function contentOf(file: string, path: string, signal: AbortSignal | undefined): Promise<string> {
  const content = OBJECT.test(file)
    ? createHash('sha256')
        .update(await photoBytes(file, signal))
        .digest('hex')
    : await hashOfFile(file, signal)
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
  const files = new PlacedFiles(process.cwd())
  return await moveRoot(collection, root, files.resolve(folder), { ...options, files })
}

/**
 * Removes a collection. Photos stay where they are, as does anything in its folder, bucket or schema that is none of its own. A kill leaves a collection that can be removed
 * again. Gives the names of what stays.
 *
 * @throws `CollectionError` `not-found` for a place that is no collection, `in-use` while somebody reads it; `FileError` `locked`; `StorageError`
 */
export async function removeCollection(where: string): Promise<readonly string[]> {
  if (isPostgresAddress(where)) return await removeFromPostgres(where)
  const place = await placeAt(where)
  await using _owned = place
  await place.readAbout()
  await using _lock = await place.lock({})
  const readers = await place.held(true)
  if (readers.length > 0)
    throw new CollectionError(
      'in-use',
      `${where} is open in ${readers.length} other places: close them first.`,
    )
  return await place.remove()
}

/** The regions are a collection beside it. */
async function removeFromPostgres(place: string): Promise<readonly string[]> {
  const { PostgresStore } = await import('./postgres-store.js')
  const { regions } = postgresAddress(place)
  if (await PostgresStore.isThere(regions)) await PostgresStore.remove(regions)
  return await PostgresStore.remove(place)
}

/** Finds the duplicates among a collection's photos, which are read from this machine's disks. */
import { join } from 'node:path'
import type { Collection } from '../../../collection/collection.js'
import { CollectionError } from '../../../collection/collection-error.js'
import type { ReadPicture } from '../../../collection/duplicates/compare-photos.js'
import {
  type DuplicateOptions,
  type FoundDuplicates,
  findDuplicatesWith,
} from '../../../collection/duplicates/find-duplicates.js'
import {
  type FoundLeakage,
  findLeakageWith,
  type LeakageOptions,
} from '../../../collection/duplicates/find-leakage.js'
import { addressBelow } from '../../../collection/roots.js'
import { middlesOf, REDUCED_LONGEST } from '../../../numerics/same-picture.js'
import { proofThreads } from './proof-threads.js'
import { readPhoto, readSmallPhoto } from './read-photo.js'

/** Gives where a photo lies. Throws `CollectionError` `root-missing` for a root that the collection does not know. */
export function fullPath(
  collection: Collection,
  { root, path }: { readonly root: string; readonly path: string },
): string {
  const folder = collection.about.roots[root]
  if (folder !== undefined) return addressBelow(folder, path) ?? join(folder, path)
  throw new CollectionError(
    'root-missing',
    `${collection.store.label} does not say where its root ${root} is.`,
  )
}

/**
 * Finds photos that are copies of each other (the same bytes, the same pixels, or proven to be the same picture), near or alike; each group says what to keep. Nothing is changed.
 * Throws RangeError for options that make no sense; what the collection throws; the signal's reason.
 */
export async function findDuplicates(
  collection: Collection,
  options: DuplicateOptions = {},
): Promise<FoundDuplicates> {
  return await findDuplicatesWith(collection, readPicture, options)
}

/** Reads photos for comparing. Throws as `decodeImage`. */
const readPicture: ReadPicture = {
  async small({ collection, copy }, signal) {
    const { image, beyond } = await readSmallPhoto(fullPath(collection, copy), REDUCED_LONGEST, signal)
    const { height, width } = copy
    return { pixels: { image, height, width }, beyond }
  },
  lanes: proofThreads,
  async middles({ collection, copy }, signal) {
    return middlesOf(await readPhoto(fullPath(collection, copy), signal))
  },
}

/**
 * Finds photos of one split that are in another as well: tell the splits apart by a column, or name another collection. Throws as `findDuplicates`, and `CollectionError` `unknown-column`,
 * `other-identity` for a collection of another model, `empty` where there are not two splits.
 */
export async function findLeakage(collection: Collection, options: LeakageOptions): Promise<FoundLeakage> {
  return await findLeakageWith(collection, readPicture, options)
}

/** Finds the duplicates among a collection's photos, which are read from this machine's disks. */
import { join } from 'node:path'
import type { Collection } from '../../../collection/collection.js'
import { CollectionError } from '../../../collection/collection-error.js'
import {
  type DuplicateOptions,
  type FoundDuplicates,
  findDuplicatesWith,
} from '../../../collection/duplicates/find-duplicates.js'
import { reducePicture } from '../../../numerics/same-picture.js'
import { decodeImage } from '../decode-image.js'

/** Gives where a photo lies. Throws `CollectionError` `root-missing` for a root that the collection does not know. */
export function fullPath(collection: Collection, { root, path }: { readonly root: string; readonly path: string }): string {
  const folder = collection.about.roots[root]
  if (folder !== undefined) return join(folder, path)
  throw new CollectionError('root-missing', `${collection.store.label} does not say where its root ${root} is.`)
}

/**
 * Finds photos that are copies of each other (the same bytes, the same pixels, or proven to be the same picture), near or alike; each group says what to keep. Nothing is changed.
 * Throws RangeError for options that make no sense; what the collection throws; the signal's reason.
 */
export async function findDuplicates(
  collection: Collection,
  options: DuplicateOptions = {},
): Promise<FoundDuplicates> {
  return await findDuplicatesWith(
    collection,
    async (copy, signal) =>
      reducePicture(await decodeImage(fullPath(collection, copy), signal === undefined ? {} : { signal })),
    options,
  )
}

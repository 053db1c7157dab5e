/** Says in a folder, or below an address, which collections in it belong together, as those that a job has become: `collections.json`, which is there when all are. */

import { CollectionError } from '../../../collection/collection-error.js'
import type { NearFigures } from '../../../collection/set/nearness.js'
import { isRecord, parseJsonOrNull } from '../../../plain-value.js'
import { openStorage } from '../storage/open-storage.js'

/** Lists collections. */
export interface CollectionList {
  readonly format: 1
  /** Is the job's id. */
  readonly job: string
  /** Is the digest of their identity. */
  readonly identity: string
  /** Are the names of their folders, in their order. */
  readonly collections: readonly string[]
  /** Says how much is found where only near ones are asked, and of which versions that was measured; null where they are too few. */
  readonly near: (NearFigures & { readonly versions: readonly number[] }) | null
}

const LIST = 'collections.json'

/** Gives null where there is none. Throws `CollectionError` `damaged` for what is no list; `StorageError`. */
export async function readCollectionList(
  place: string,
  signal?: AbortSignal,
): Promise<CollectionList | null> {
  await using storage = await openStorage(place)
  const found = await storage.read(LIST, { signal })
  if (found === null) return null
  const told = parseJsonOrNull(new TextDecoder().decode(found.bytes))
  const isList =
    isRecord(told) &&
    told.format === 1 &&
    Array.isArray(told.collections) &&
    told.collections.length > 0 &&
    told.collections.every((name) => typeof name === 'string' && /^[^/\\]+$/.test(name) && name !== '..')
  if (isList) return told as unknown as CollectionList
  throw new CollectionError(
    'damaged',
    `${storage.label}/${LIST} does not list collections: run plumage job finish again, which writes it anew.`,
  )
}

/** Writes the list, whole or not at all. Throws `StorageError`. */
export async function writeCollectionList(
  place: string,
  list: CollectionList,
  signal?: AbortSignal,
): Promise<void> {
  await using storage = await openStorage(place)
  await storage.write(LIST, new TextEncoder().encode(`${JSON.stringify(list)}\n`), { signal })
}

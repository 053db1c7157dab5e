/** Lists the photos of a collection, or of several that belong together, by where their files lie now. */

import { filmOfNameOrNull } from '../../../collection/frame-name.js'
import { placeOf } from '../../../collection/roots.js'
import { rowsOf } from '../../../collection/row-block.js'
import type { CollectionPhoto } from '../../../jobs/sources/source.js'
import { openCollections } from '../collection/open-collections.js'
import { NodeFiles } from '../files/node-files.js'

/** Photos that are gone are none of them. Throws `CollectionError`; `StorageError`; the signal's reason. */
export async function* collectionPhotos(
  place: string,
  signal?: AbortSignal,
): AsyncGenerator<readonly CollectionPhoto[]> {
  const files = new NodeFiles(process.cwd())
  await using set = await openCollections(place, signal === undefined ? {} : { signal })
  for (const { collection } of set.members) {
    const { roots, job } = collection.about
    for await (const block of collection.scan({ columns: ['id', 'root', 'path', 'state'], signal })) {
      const photos: CollectionPhoto[] = []
      for (const { id, root, path, state } of rowsOf(block)) {
        if (state === 'gone') continue
        const at = roots[String(root)]
        const kind = kindOrNull(String(path), job !== undefined)
        const left = at === undefined ? 'photo of an unknown root' : kind
        photos.push({
          id: String(id),
          path: left === null ? placeOf(at ?? '', String(path), files) : { leftOutAs: left },
        })
      }
      yield photos
    }
  }
}

/** Names what a path leads to where that is no file of its own; null where it is one. */
function kindOrNull(path: string, isOfJob: boolean): string | null {
  if (filmOfNameOrNull(path) !== null) return 'frame of a film'
  // So a job names what it has from a shard, and where in it that lies the shard alone says.
  return isOfJob && /\.tar\//i.test(path) ? 'member of a shard' : null
}

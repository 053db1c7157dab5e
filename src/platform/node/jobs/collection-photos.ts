/** Lists the photos of a collection, or of several that belong together, by where their files lie now. */

import type { Value } from '../../../collection/columns.js'
import { filmOfNameOrNull } from '../../../collection/frame-name.js'
import { placeOf } from '../../../collection/roots.js'
import { rowsOf } from '../../../collection/row-block.js'
import type { CollectionPhoto, ShardMember } from '../../../jobs/sources/source.js'
import type { Files } from '../../../work/files.js'
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
    const { roots } = collection.about
    const isOfJob = collection.columns.some(({ name }) => name === SOURCE_ROW)
    const columns = ['id', 'root', 'path', 'state', ...(isOfJob ? [SOURCE_ROW] : [])]
    for await (const block of collection.scan({ columns, signal })) {
      const photos: CollectionPhoto[] = []
      for (const { id, root, path, state, [SOURCE_ROW]: row } of rowsOf(block)) {
        if (state === 'gone') continue
        const at = roots[String(root)]
        photos.push({
          id: String(id),
          path: at === undefined ? UNKNOWN : placeIn(at, String(path), row, files),
        })
      }
      yield photos
    }
  }
}

/** Names what a row was in its job. */
const SOURCE_ROW = 'source_row'
const UNKNOWN = { leftOutAs: 'photo of an unknown root' }

function placeIn(root: string, path: string, row: Value | undefined, files: Files): CollectionPhoto['path'] {
  if (filmOfNameOrNull(path) !== null) return { leftOutAs: 'frame of a film' }
  const member = memberOrNull(path, row)
  return member === null
    ? placeOf(root, path, files)
    : { ...member, shard: placeOf(root, member.shard, files) }
}

/** A job calls what it has from a shard `shard.tar#3`, and its place the name of the member behind that of the shard. */
function memberOrNull(path: string, row: Value | undefined): ShardMember | null {
  const [, named, number] = /^(.*)#(\d+)$/s.exec(String(row)) ?? []
  const shard = named?.replace(/^(\/|s3:\/\/|az:\/\/|gs:\/\/|https?:\/\/)/, '')
  if (shard === undefined || !path.startsWith(`${shard}/`)) return null
  return { shard, number: Number(number), name: path.slice(shard.length + 1) }
}

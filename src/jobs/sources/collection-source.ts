/** Takes the photos of a collection, or of several that a job has become, to be encoded anew with another model: rows keep the ids that they have there. */
import type { SourceRow } from '../row.js'
import { addressRow } from './address-row.js'
import { ListedShards } from './listed-shards.js'
import type { RowBatches, SourceReading } from './source.js'

export async function* collectionRows(place: string, reading: SourceReading): RowBatches {
  const { world, options, leftOut } = reading
  const shards = new ListedShards(reading)
  for await (const photos of world.collectionPhotos(place, options.signal)) {
    const rows: SourceRow[] = []
    for (const { id, path } of photos) {
      if (typeof path === 'string') rows.push(addressRow(id, path, world.files, options.contact))
      else if ('leftOutAs' in path) leftOut.add(path.leftOutAs)
      else {
        const row = await shards.rowOrNull(path)
        if (row !== null) rows.push(row)
      }
    }
    yield rows
  }
}

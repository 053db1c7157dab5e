/** Lists the objects below a prefix: bucket, key and version name a row, so that an object that was written anew is another row. */
import { isDecodedName } from '../../work/image-extensions.js'
import { leftOutKindOrNull } from '../../work/left-out.js'
import type { SourceRow } from '../row.js'
import type { RowBatches, SourceReading } from './source.js'
import type { StorageAt } from './storage-at.js'

const BATCH_ROWS = 1024

export async function* objectRows(
  { storage, base, key: prefix }: StorageAt,
  { world, options, leftOut }: SourceReading,
): RowBatches {
  let rows: SourceRow[] = []
  for await (const { key, size, version } of storage.list({ prefix, signal: options.signal })) {
    // What stands for a folder in other programs is an empty object with such a name.
    if (key.endsWith('/') && size === 0) continue
    if (options.takesAll !== true && !isDecodedName(key, world.decodes)) {
      leftOut.add(leftOutKindOrNull(key, null) ?? 'other object')
      continue
    }
    rows.push(objectRow(`${base}/${key}`, version))
    if (rows.length < BATCH_ROWS) continue
    yield rows
    rows = []
  }
  yield rows
}

function objectRow(address: string, version: string | undefined): SourceRow {
  const id = version === undefined ? address : `${address}@${version}`
  return { id, name: address, place: version === undefined ? { address } : { address, version } }
}

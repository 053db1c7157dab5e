/**
 * Finds the images in WebDataset shards, which are tars: shard and number of the member name a row, since names repeat from shard to shard. Nothing is unpacked: a row's
 * place is a range of its shard.
 */
import { readTar, type TarMember } from '../../formats/read-tar.js'
import { isDecodedName } from '../../work/image-extensions.js'
import { leftOutKindOrNull } from '../../work/left-out.js'
import type { SourceRow } from '../row.js'
import { openBytes, type SourceBytes } from './open-bytes.js'
import type { RowBatches, SourceReading } from './source.js'
import { tellTrouble } from './tell-trouble.js'

const BATCH_ROWS = 1024
/** A request to an object store costs as much as a megabyte, one to a disk as a few kilobytes. */
const READ_AHEAD = { file: 2 ** 14, object: 2 ** 20 }

/** Counts the bytes that are read together where the headers of a shard are looked for. */
export function readAheadOf({ version }: Pick<SourceBytes, 'version'>): number {
  return version === undefined ? READ_AHEAD.file : READ_AHEAD.object
}

const UNREAD = { file: 'hidden', link: 'link in a tar', sparse: 'sparse file in a tar' }

/** A shard that cannot be read, or not to its end, is told by its name; the rows before that place are there. */
export async function* shardRows(shard: string, reading: SourceReading): RowBatches {
  const { world, options } = reading
  await using tar = await openBytes(shard, world, options.signal)
  const members = readTar(tar, readAheadOf(tar))
  let rows: SourceRow[] = []
  for (;;) {
    const next = await members.next().catch((cause: Error) => cause)
    if (next instanceof Error) {
      options.signal?.throwIfAborted()
      yield rows
      if ('code' in next) throw next
      return tellTrouble(reading, shard, next.message)
    }
    if (next.done === true) return yield rows
    const row = memberRow(tar, next.value, reading)
    if (row === null) continue
    rows.push(row)
    if (rows.length < BATCH_ROWS) continue
    yield rows
    rows = []
  }
}

/** Gives null for a member that is no image; texts beside images are nobody's loss. */
function memberRow(
  { label, address, version }: SourceBytes,
  { number, name, kind, offset, length }: TarMember,
  { world, leftOut }: SourceReading,
): SourceRow | null {
  const last = name.slice(name.lastIndexOf('/') + 1)
  if (kind === 'other') return null
  const isImage = isDecodedName(last, world.decodes)
  if (kind !== 'file' || last.startsWith('.') || !isImage) {
    const left = isImage ? UNREAD[kind] : leftOutKindOrNull(last, null)
    // What begins with a dot are the notes of a system beside its files.
    if (left !== null) leftOut.add(last.startsWith('.') ? 'hidden' : left)
    return null
  }
  const place = { address, offset, length, ...(version === undefined ? {} : { version }) }
  return { id: `${label}#${number}`, name: `${label}/${name}`, place }
}

/** Tells what a source is, by what is there and by its name; what is not clear is asked for. */

import { isDatabase } from '../../is-address.js'
import { nearestNames } from '../../nearest-names.js'
import { isAddress } from '../../work/input-of-address.js'
import { SOURCE_KINDS, type SourceKind, type SourceReading } from './source.js'
import { SourceError } from './source-error.js'
import { storageAt } from './storage-at.js'

const ENDINGS: readonly (readonly [RegExp, SourceKind])[] = [
  [/(^|[/\\])manifest\.json$/i, 'inventory'],
  [/\.(txt|lst|list)(\.gz)?$/i, 'list'],
  [/\.(csv|tsv)(\.gz)?$/i, 'csv'],
  [/\.(jsonl|ndjson)(\.gz)?$/i, 'json-lines'],
  [/\.(parquet|pq)$/i, 'parquet'],
  [/\.lance\/?$/i, 'lance'],
  [/\.tar$/i, 'shards'],
]
/** One collection has the first of these, several that a job has become the second. */
const COLLECTIONS = ['collection.json', 'collections.json']

/** Throws `SourceError` `not-found`, `unclear`, `unsupported`; RangeError for a kind that there is not. */
export async function recogniseSource(address: string, reading: SourceReading): Promise<SourceKind> {
  const { kind } = reading.options
  if (kind !== undefined) return checkKind(kind)
  if (isDatabase(address)) return 'collection'
  if (/\.(tar\.\w+|tgz|zip|7z)$/i.test(address)) throw packed(address)
  const named = ENDINGS.find(([ending]) => ending.test(address))?.[1]
  const place = storageAt(reading.world.storages, address)
  if (place !== null) return named ?? (await recogniseObjects(address, place, reading.options.signal))
  const found = isAddress(address) ? null : await reading.world.files.look(address)
  if (found?.kind === 'folder') return await recogniseFolder(address, named, reading)
  if (named !== undefined) return named
  throw found === null && !isAddress(address)
    ? new SourceError(
        'not-found',
        `There is nothing at ${address} (looked from ${reading.world.files.base}).`,
      )
    : unclear(address)
}

function checkKind(kind: string): SourceKind {
  const known = SOURCE_KINDS.find((one) => one === kind)
  if (known !== undefined) return known
  throw new RangeError(
    `There is no kind of source ${JSON.stringify(kind)}. Did you mean ${nearestNames(kind, SOURCE_KINDS, 1).join()}? There are ${SOURCE_KINDS.join(', ')}.`,
  )
}

/** What is called otherwise than tables and shards is a prefix, where something is below it. */
async function recogniseObjects(
  address: string,
  { storage, key }: NonNullable<ReturnType<typeof storageAt>>,
  signal: AbortSignal | undefined,
): Promise<SourceKind> {
  const isObject = key !== '' && !key.endsWith('/') && (await storage.look(key, { signal })) !== null
  if (isObject) throw unclear(address)
  const below = key === '' || key.endsWith('/') ? key : `${key}/`
  for (const name of COLLECTIONS)
    if ((await storage.look(below + name, { signal })) !== null) return 'collection'
  for await (const _ of storage.list({ prefix: key, signal })) return 'objects'
  throw new SourceError('not-found', `There is no object ${address}, and none below it.`)
}

async function recogniseFolder(
  folder: string,
  named: SourceKind | undefined,
  { world }: SourceReading,
): Promise<SourceKind> {
  const names = (await world.files.list(folder)).map(({ name }) => name)
  if (COLLECTIONS.some((name) => names.includes(name))) return 'collection'
  if (named === 'lance' && names.includes('_versions')) return 'lance'
  return 'folder'
}

function packed(address: string): SourceError {
  return new SourceError(
    'unsupported',
    `${address} is packed as a whole, so that nothing in it can be read by itself: unpack it to a .tar or a folder first.`,
  )
}

function unclear(address: string): SourceError {
  return new SourceError(
    'unclear',
    `It is not clear what ${address} is: say so by --source-kind ${SOURCE_KINDS.join('|')}.`,
  )
}

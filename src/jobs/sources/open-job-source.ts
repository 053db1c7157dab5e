/** Opens what the rows of a job come from: lists, tables, folders, objects, inventories, shards, collections. */
import { checkOptionNames, type OptionNames } from '../../check-option-names.js'
import { isDatabase, shownPlace } from '../../is-address.js'
import { isAddress, shownAs } from '../../work/input-of-address.js'
import { LeftOut } from '../../work/left-out.js'
import { checkContact } from '../check-contact.js'
import { collectionRows } from './collection-source.js'
import { expandPattern, isPattern } from './expand-pattern.js'
import { folderRows } from './folder-source.js'
import { inTurn } from './in-turn.js'
import { inventoryRows } from './inventory-source.js'
import { listRows } from './list-source.js'
import { objectRows } from './objects-source.js'
import { knownPlaces, openBytes, type SourceBytes } from './open-bytes.js'
import { recogniseSource } from './recognise-source.js'
import { shardRows } from './shards-source.js'
import type {
  JobSource,
  RowBatches,
  SourceKind,
  SourceOptions,
  SourceReading,
  SourceWorld,
} from './source.js'
import { SourceError } from './source-error.js'
import { storageAt } from './storage-at.js'
import { csvRows, jsonLinesRows, lanceRows, openParquet, parquetRows } from './table-sources.js'

const OPTIONS = {
  kind: true,
  column: true,
  separator: true,
  takesAll: true,
  contact: true,
  onTrouble: true,
  signal: true,
} satisfies OptionNames<SourceOptions>

/** Says how each kind is read, given one address of it. */
const READERS: Readonly<Record<SourceKind, (address: string, reading: SourceReading) => RowBatches>> = {
  list: (address, reading) => ofFile(address, reading, (file) => listRows(file, reading)),
  csv: (address, reading) => ofFile(address, reading, (file) => csvRows(file, reading)),
  'json-lines': (address, reading) => ofFile(address, reading, (file) => jsonLinesRows(file, reading)),
  parquet: (address, reading) => ofFile(address, reading, (file) => ofParquet(file, reading)),
  lance: async function* (address, reading) {
    await using table = await reading.world.openLance(address)
    yield* lanceRows(address, table, reading)
  },
  folder: folderRows,
  objects: async function* (address, reading) {
    const place = storageAt(reading.world.storages, address)
    if (place === null)
      throw new SourceError(
        'unreadable',
        `${address} is in no place that is known here. ${knownPlaces(reading.world.storages)}`,
      )
    yield* objectRows(place, reading)
  },
  inventory: inventoryRows,
  shards: shardRows,
  collection: collectionRows,
}

/** In an object store each of the headers of a shard may be a request, that takes as long as many of them together. */
const SHARDS_AHEAD = { atOnce: 16, items: 16 }

/** Rows of these name their place within a file, so that of several files the name of the file is needed as well. */
const BY_LINE: readonly SourceKind[] = ['list', 'csv', 'json-lines', 'parquet', 'lance']

/**
 * Finds out what a source is; its rows are read when they are asked for. A pattern of several files (`shard-{000..999}.tar`, `part-*.parquet`) is one source.
 * Throws `SourceError` `not-found`, `unclear`, `unsupported`, `nothing-found`; RangeError for an unknown kind, and for a contact that is none; what storage throws.
 */
export async function openJobSource(
  address: string,
  world: SourceWorld,
  options: SourceOptions = {},
): Promise<JobSource> {
  checkOptionNames(options, OPTIONS)
  if (options.contact !== undefined) checkContact(options.contact)
  const leftOut = new LeftOut()
  const reading = { world, options, leftOut }
  const isOne = !isPattern(address) || (!isAddress(address) && (await world.files.look(address)) !== null)
  const addresses = isOne ? [address] : await expandPattern(address, reading)
  const kind = await kindOf(addresses, reading)
  const total = isOne ? await totalOf(kind, address, reading) : null
  return {
    kind,
    label: isDatabase(address) ? shownPlace(address) : shownAs(address),
    base: world.files.base,
    leftOut,
    ...(total === null ? {} : { total }),
    rows: async function* (signal = options.signal) {
      let count = 0
      for await (const block of blocksOf(kind, addresses, { ...reading, options: { ...options, signal } })) {
        signal?.throwIfAborted()
        count += block.length
        yield block
      }
      if (count === 0) throw nothingFound(address, leftOut)
    },
  }
}

async function* blocksOf(kind: SourceKind, addresses: readonly string[], reading: SourceReading): RowBatches {
  const read = READERS[kind]
  if (kind === 'shards') {
    const { signal } = reading.options
    const shards = addresses.map(
      (address) => (stop: AbortSignal) =>
        read(address, { ...reading, options: { ...reading.options, signal: eitherOf(signal, stop) } }),
    )
    return yield* inTurn(shards, SHARDS_AHEAD)
  }
  const isOne = addresses.length === 1
  for (const address of addresses) {
    const hasPrefix = !isOne && BY_LINE.includes(kind)
    for await (const block of read(address, reading))
      yield hasPrefix ? block.map((row) => ({ ...row, id: `${address}#${row.id}` })) : block
  }
}

function eitherOf(signal: AbortSignal | undefined, other: AbortSignal): AbortSignal {
  return signal === undefined ? other : AbortSignal.any([signal, other])
}

async function kindOf(addresses: readonly string[], reading: SourceReading): Promise<SourceKind> {
  let first: { readonly address: string; readonly kind: SourceKind } | null = null
  for (const address of addresses) {
    const kind = await recogniseSource(address, reading)
    first ??= { address, kind }
    if (kind !== first.kind)
      throw new SourceError(
        'unclear',
        `Several kinds of sources are meant: ${first.address} is of the kind ${first.kind}, and ${address} ${kind}. Make a job of each.`,
      )
  }
  if (first === null) throw new SourceError('nothing-found', 'The braces name no file.')
  return first.kind
}

async function totalOf(
  kind: SourceKind,
  address: string,
  { world, options }: SourceReading,
): Promise<number | null> {
  if (kind !== 'parquet' && kind !== 'lance') return null
  if (kind === 'parquet') {
    await using file = await openBytes(address, world, options.signal)
    return (await openParquet(file, world)).rows
  }
  await using table = await world.openLance(address)
  return table.rows
}

async function* ofFile(
  address: string,
  { world, options }: SourceReading,
  read: (file: SourceBytes) => RowBatches,
): RowBatches {
  await using file = await openBytes(address, world, options.signal)
  yield* read(file)
}

async function* ofParquet(file: SourceBytes, reading: SourceReading): RowBatches {
  yield* parquetRows(file, reading, await openParquet(file, reading.world))
}

function nothingFound(address: string, leftOut: LeftOut): SourceError {
  const line = leftOut.line()
  return new SourceError(
    'nothing-found',
    `There is no image in ${address}${line === null ? '' : ` (${line})`}. Is it another kind of source (--source-kind)?`,
  )
}

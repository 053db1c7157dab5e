/** Makes a collection of embeddings that others have computed, or adds them to one. */
import { createHash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { relative, resolve, sep } from 'node:path'
import { checkOptionNames, type OptionNames } from '../../../check-option-names.js'
import type { Collection } from '../../../collection/collection.js'
import { CollectionError } from '../../../collection/collection-error.js'
import {
  IMPORT_CHOICE,
  type ImportChoice,
  type ImportCounts,
  type ImportedTable,
  importRows,
  lookAhead,
  namedColumns,
  type PlacePhoto,
  vectorOf,
} from '../../../collection/import-rows.js'
import type { Row } from '../../../collection/row-block.js'
import type { About } from '../../../collection/store.js'
import type { Identity } from '../../../encoder/types.js'
import { isRecord, type PlainRecord, parseJsonOrNull } from '../../../plain-value.js'
import { rootOf } from './index-folders.js'
import { createCollection, hasCollection, openCollection } from './open-collection.js'
import { openTable } from './read-table.js'

/** Says how embeddings are imported. */
export interface ImportOptions extends ImportChoice {
  /** States what the embeddings rest on: an encoder's `identity`. Where the file says so itself, the two must agree. */
  readonly identity?: Identity
  /** Says how that encoder is loaded, so that photos can be searched for later. */
  readonly model?: About['model']
  /** Names what made the embeddings, where no model here did: photos can then not be embedded for this collection, only what is in it compared. */
  readonly foreign?: string
  /** Is the folder that paths start from, and which holds all photos; default: the current one. */
  readonly base?: string
  /** Is how embeddings are kept in a new collection; default `float16`. */
  readonly dtype?: About['dtype']
}

const OPTIONS = {
  ...IMPORT_CHOICE,
  identity: true,
  model: true,
  foreign: true,
  base: true,
  dtype: true,
} satisfies OptionNames<ImportOptions>

/**
 * Takes the rows of a file into the collection in a folder, which is made where there is none: Parquet, Arrow, JSON lines, CSV, NumPy with names beside it, or the
 * folder of an exported FiftyOne dataset. Columns that are none of a photo's become columns of the collection. A row that cannot be taken is told, and the others go on.
 *
 * @throws `CollectionError` `not-found`, `unreadable`; `ambiguous` where it is not known what made the embeddings, or which columns hold them; `other-identity`;
 *   what opening a collection throws; the signal's reason
 */
export async function importCollection(
  file: string,
  folder: string,
  options: ImportOptions = {},
): Promise<ImportCounts> {
  checkOptionNames(options, OPTIONS)
  const {
    identity: _identity,
    model: _model,
    foreign: _foreign,
    base = '.',
    dtype: _dtype,
    ...choice
  } = options
  const opened = await openTable(file, options.signal)
  const { sample, rows } = await lookAhead(opened.rows)
  const told = parseJsonOrNull(opened.metadata.collection ?? 'null')
  const exported = isRecord(told) ? told : {}
  const table: ImportedTable = { ...opened, rows, isUnit: exported.embedding === 'unit' }
  const identity = identityFor(file, table, options)
  const { vector } = namedColumns(table, sample, choice)
  const width = sample.map(({ values }) => vectorOf(values?.[vector])).find((found) => found !== null)?.length
  if (width === undefined)
    throw new CollectionError('ambiguous', `${file} has no vector in its column ${vector}.`)
  await using collection = await openFor(folder, identity, width, exported, options)
  return await importRows(collection, table, await placing(collection, base, exported), choice)
}

/** Throws `CollectionError` `ambiguous`, `other-identity`. */
function identityFor(
  file: string,
  { metadata }: ImportedTable,
  { identity, foreign }: ImportOptions,
): Identity {
  const found = identityIn(metadata)
  if (found !== null && identity !== undefined && found.digest !== identity.digest)
    throw new CollectionError(
      'other-identity',
      `${file} says that it was made with ${found.model} (identity ${found.digest.slice(0, 12)}); stated was ${identity.model} (${identity.digest.slice(0, 12)}).`,
    )
  if (found !== null && foreign !== undefined)
    throw new CollectionError(
      'other-identity',
      `${file} says itself what made it: ${found.model}. Leave foreign (--foreign) out.`,
    )
  const stated = identity ?? found
  if (stated !== null && stated !== undefined) return stated
  if (foreign !== undefined) return foreignIdentity(foreign)
  throw new CollectionError(
    'ambiguous',
    `${file} does not say what made its embeddings. State it: the model, by identity (--identity-of <model>), or, for one that is not known here, its name by ` +
      'foreign (--foreign <name>).',
  )
}

/** Gives what this library writes of what made a file; null where it did not write it. */
function identityIn(metadata: Readonly<Record<string, string>>): Identity | null {
  const { identity: digest, weights, settings, precision, recipe, model, engine, origin } = metadata
  if (
    digest === undefined ||
    !/^[0-9a-f]{64}$/.test(digest) ||
    weights === undefined ||
    settings === undefined
  )
    return null
  if (createHash('sha256').update(`${weights}\n${settings}`).digest('hex') !== digest) return null
  return {
    digest,
    weights,
    settings,
    precision: (precision ?? 'float32') as Identity['precision'],
    recipe: recipe ?? '',
    model: model ?? '',
    engine: engine ?? '',
    ...(origin === undefined ? {} : { origin }),
  }
}

/** Is the same for the same name, and no model's. */
function foreignIdentity(name: string): Identity {
  const settings = JSON.stringify({ foreign: name })
  return {
    digest: createHash('sha256').update(`\n${settings}`).digest('hex'),
    weights: '',
    settings,
    precision: 'float32',
    recipe: 'not known',
    model: name,
    engine: 'not known',
  }
}

async function openFor(
  place: string,
  identity: Identity,
  width: number,
  exported: PlainRecord,
  { model, dtype, signal }: ImportOptions,
): Promise<Collection> {
  const how = signal === undefined ? {} : { signal }
  if (await hasCollection(place)) {
    const collection = await openCollection(place, { ...how, write: true })
    try {
      collection.assertSame(identity)
      return collection
    } catch (error) {
      await collection[Symbol.asyncDispose]()
      throw error
    }
  }
  const told = isRecord(exported.model) ? (exported.model as unknown as About['model']) : undefined
  const settings = { identity, width, model: model ?? told ?? { source: '', options: {} } }
  return await createCollection(place, { ...settings, ...(dtype === undefined ? {} : { dtype }) }, how)
}

/** Finds photos where the file's collection had them, or below the folder that holds all. */
async function placing(collection: Collection, base: string, exported: PlainRecord): Promise<PlacePhoto> {
  const folder = resolve(base)
  const told = isRecord(exported.roots) ? exported.roots : {}
  const roots = Object.fromEntries(
    Object.entries(told).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  )
  const missing = Object.entries(roots).filter(([name]) => !Object.hasOwn(collection.about.roots, name))
  if (missing.length > 0)
    await collection.store.setAbout({
      ...collection.about,
      roots: { ...collection.about.roots, ...Object.fromEntries(missing) },
    })
  let ownRoot: string | null = null
  return async (path, root) => {
    const from = root === null ? undefined : collection.about.roots[root]
    const start = from ?? folder
    const full = resolve(start, path)
    const below = relative(start, full).split(sep).join('/')
    if (below === '' || below === '..' || below.startsWith('../'))
      return {
        reason: `${path} does not lie below ${start}: name the folder that holds all photos as base (--base)`,
      }
    if (from === undefined) ownRoot ??= await rootOf(collection, folder)
    return {
      root: from === undefined ? (ownRoot ?? '') : (root ?? ''),
      path: below,
      values: await valuesOfFile(full),
    }
  }
}

async function valuesOfFile(path: string): Promise<Row> {
  const found = await stat(path, { bigint: true }).catch(() => null)
  if (found === null || !found.isFile()) return { file: null, bytes: null, modified: null }
  return {
    file: `${found.dev}:${found.ino}`,
    bytes: Number(found.size),
    modified: Math.floor(Number(found.mtimeNs) / 1e6),
  }
}

/** Makes and opens collections that lie in a folder, on object storage, or in PostgreSQL. */
import { join } from 'node:path'
import { checkOptionNames, type OptionNames } from '../../../check-option-names.js'
import { Collection } from '../../../collection/collection.js'
import { CollectionError } from '../../../collection/collection-error.js'
import type { About, CollectionStore } from '../../../collection/store.js'
import { given } from '../../../encoder/choose-recipe.js'
import { isAddress } from '../../../is-address.js'
import { createProducts, type FeatureProducts } from '../create-products.js'
import { DIGEST_RULE } from '../pixel-digest.js'
import { ABOUT } from './collection-files.js'
import type { OpenStoreOptions } from './lance-store.js'
import type { CollectionPlace } from './place.js'
import { isPostgresAddress } from './postgres-address.js'

/** Says how a collection is opened. */
export interface CollectionOptions extends OpenStoreOptions {
  /**
   * Names a folder of this machine in which a copy of a collection on object storage is kept, which is read then: only what is new is copied, here and with each
   * `refresh`. It does not go with `write`.
   */
  readonly mirror?: string
  /** Bounds the copy of embeddings that exact search of a collection on object storage makes on this machine, in bytes; default 4 GB. */
  readonly cacheBytes?: number
}

const MAKING = { signal: true, onWait: true } satisfies OptionNames<
  Omit<CollectionOptions, 'write' | 'mirror' | 'cacheBytes'>
>

/** Names the options of what opens a collection. */
export const OPENING = {
  ...MAKING,
  write: true,
  mirror: true,
  cacheBytes: true,
} satisfies OptionNames<CollectionOptions>

/** Says what a collection is made for. */
export type CollectionSettings = Pick<About, 'identity' | 'model' | 'width'> & Partial<Pick<About, 'dtype'>>

/** Is a store on Node, which says where a collection lies that belongs to this one. */
interface PlacedStore extends CollectionStore {
  regionsPlace(): string
}

/**
 * Opens the collection in a folder, on object storage, `s3://bucket/photos.plumage`, with the credentials and the endpoint that AWS's own tools would take, or in
 * PostgreSQL: `postgres://user@host/database?collection=name`. Throws `CollectionError` `not-found`, `damaged`, `read-only` for writing to a mirror, or `unavailable` where the
 * package @lancedb/lancedb or pg, or the extension pgvector, is missing, `unreachable` and `forbidden` of a server; `StorageError`; `FileError` `locked` where another
 * process may change it and `write` is asked for; RangeError for an address that names no collection.
 */
export async function openCollection(where: string, options: CollectionOptions = {}): Promise<Collection> {
  checkOptionNames(options, OPENING)
  const { store, update } = await openStore(where, options)
  return await owning(store, update)
}

/** Opens a collection that computes with products of several collections, which stay whoever's they are. Throws as `openCollection`. */
export async function openSharing(
  where: string,
  options: CollectionOptions,
  products: FeatureProducts,
): Promise<Collection> {
  const { store, update } = await openStore(where, options)
  return await Collection.open({ store, products, ...given({ update }) })
}

interface OpenedStore {
  readonly store: CollectionStore
  readonly update?: () => Promise<void>
}

async function openStore(where: string, options: CollectionOptions): Promise<OpenedStore> {
  const { mirror, cacheBytes, ...choice } = options
  if (mirror !== undefined) return await openMirror(where, mirror, choice)
  if (isPostgresAddress(where)) {
    const { PostgresStore } = await import('./postgres-store.js')
    return { store: await PostgresStore.open(where, choice) }
  }
  const { LanceStore } = await import('./lance-store.js')
  const place = await placeAt(where, given({ cacheBytes }))
  return { store: await disposing(place, LanceStore.open(place, choice)) }
}

/**
 * Makes a collection in a folder that is empty or not there, on object storage where nothing is, or in PostgreSQL, and opens it for writing. Throws as `openCollection`,
 * and `CollectionError` `exists`.
 */
export async function createCollection(
  where: string,
  settings: CollectionSettings,
  options: Omit<CollectionOptions, 'write' | 'mirror' | 'cacheBytes'> = {},
): Promise<Collection> {
  checkOptionNames(options, MAKING)
  const about: About = {
    format: 1,
    dtype: 'float16',
    roots: {},
    columns: [],
    digests: DIGEST_RULE,
    ...settings,
  }
  if (isPostgresAddress(where)) {
    const { PostgresStore } = await import('./postgres-store.js')
    return await owning(await PostgresStore.create(where, about, options))
  }
  const { LanceStore } = await import('./lance-store.js')
  const place = await placeAt(where)
  return await owning(await disposing(place, LanceStore.create(place, about, options)))
}

/** Tells whether there is a collection at a place. Throws as `openCollection`, of a server. */
export async function hasCollection(where: string): Promise<boolean> {
  if (isPostgresAddress(where)) return (await import('./postgres-store.js')).PostgresStore.isThere(where)
  await using place = await placeAt(where)
  return await place.isThere()
}

/** Gives the place of a collection's regions, which may hold a password and is not shown. Throws `CollectionError` `unavailable` for a collection that has no place. */
export function regionsPlaceOf({ store }: Collection): string {
  if ('regionsPlace' in store) return (store as PlacedStore).regionsPlace()
  throw new CollectionError(
    'unavailable',
    `${store.label} keeps no regions: open a collection that lies somewhere.`,
  )
}

/** Gives the place of this name, which whoever asks for it disposes of. Throws `StorageError` for an address that nothing here reaches. */
export async function placeAt(
  where: string,
  options: Pick<CollectionOptions, 'cacheBytes'> = {},
): Promise<CollectionPlace> {
  if (!isAddress(where)) {
    const { FolderPlace } = await import('./folder-place.js')
    return new FolderPlace(where)
  }
  const [{ StoredPlace }, { reachStorage }] = await Promise.all([
    import('./stored-place.js'),
    import('./reach-storage.js'),
  ])
  return new StoredPlace({ ...(await reachStorage(where)), ...options })
}

async function openMirror(where: string, folder: string, choice: OpenStoreOptions): Promise<OpenedStore> {
  if (!isAddress(where) || isPostgresAddress(where))
    throw new RangeError(
      `${where} is not on object storage, which alone is mirrored: leave mirror (--mirror) out.`,
    )
  if (choice.write === true)
    throw new CollectionError('read-only', `A mirror is only read: open ${where} itself to change it.`)
  const { LanceStore } = await import('./lance-store.js')
  await mirrorAll(where, folder, choice.signal)
  // The signal is that of the opening.
  const store = await LanceStore.open(folder, choice)
  return { store, update: () => mirrorAll(where, folder, undefined) }
}

/** A collection may have regions, which are one of their own. */
async function mirrorAll(address: string, folder: string, signal: AbortSignal | undefined): Promise<void> {
  const [{ mirrorCollection }, { reachStorage }] = await Promise.all([
    import('./mirror-collection.js'),
    import('./reach-storage.js'),
  ])
  {
    const { storage } = await reachStorage(address)
    await using _owned = storage
    await mirrorCollection(storage, folder, signal)
  }
  const { storage } = await reachStorage(`${address}/regions`)
  await using _owned = storage
  if ((await storage.look(ABOUT, { signal })) !== null)
    await mirrorCollection(storage, join(folder, 'regions'), signal)
}

/** A store disposes of its place; where there is no store, it is done here. */
async function disposing<Store>(place: CollectionPlace, opened: Promise<Store>): Promise<Store> {
  try {
    return await opened
  } catch (error) {
    await place[Symbol.asyncDispose]()
    throw error
  }
}

/** What computes has threads, which end with the collection. */
async function owning(store: CollectionStore, update?: () => Promise<void>): Promise<Collection> {
  const products = createProducts()
  return await Collection.open({ store, products, owned: products, ...given({ update }) })
}

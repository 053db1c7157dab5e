/** Makes and opens collections that lie in a folder. */
import { checkOptionNames, type OptionNames } from '../../../check-option-names.js'
import { Collection } from '../../../collection/collection.js'
import type { About, CollectionStore } from '../../../collection/store.js'
import { createProducts } from '../create-products.js'
import type { OpenStoreOptions } from './lance-store.js'

/** Says how a collection is opened. */
export interface CollectionOptions extends OpenStoreOptions {}

const OPTIONS = { write: true, signal: true, onWait: true } satisfies OptionNames<CollectionOptions>

/** Says what a collection is made for. */
export type CollectionSettings = Pick<About, 'identity' | 'model' | 'width'> & Partial<Pick<About, 'dtype'>>

/**
 * Opens the collection in a folder. Throws `CollectionError` `not-found`, `damaged`, or `unavailable` where the package @lancedb/lancedb is missing; `FileError`
 * `locked` where another process may change it and `write` is asked for.
 */
export async function openCollection(folder: string, options: CollectionOptions = {}): Promise<Collection> {
  checkOptionNames(options, OPTIONS)
  const { LanceStore } = await import('./lance-store.js')
  return await owning(await LanceStore.open(folder, options))
}

/** Makes a collection in a folder that is empty or not there, and opens it for writing. Throws as `openCollection`, and `CollectionError` `exists`. */
export async function createCollection(
  folder: string,
  settings: CollectionSettings,
  options: Omit<CollectionOptions, 'write'> = {},
): Promise<Collection> {
  checkOptionNames(options, OPTIONS)
  const { LanceStore } = await import('./lance-store.js')
  const about: About = { format: 1, dtype: 'float16', roots: {}, columns: [], ...settings }
  return await owning(await LanceStore.create(folder, about, options))
}

/** What computes has threads, which end with the collection. */
async function owning(store: CollectionStore): Promise<Collection> {
  const products = createProducts()
  return await Collection.open({ store, products, owned: products })
}

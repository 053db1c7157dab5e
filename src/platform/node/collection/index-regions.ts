/** Brings the regions of a collection's photos up to date: a collection of their own that lies within it. */
import { join } from 'node:path'
import { checkOptionNames, type OptionNames } from '../../../check-option-names.js'
import type { Collection } from '../../../collection/collection.js'
import { CollectionError } from '../../../collection/collection-error.js'
import type { FoundPhoto } from '../../../collection/find-photos.js'
import { type RegionFeatures, regionsOf } from '../../../collection/regions/photo-regions.js'
import {
  contentsWithRegions,
  filesWithoutRegions,
  forgetRegions,
  REGION_COLUMNS,
  RegionWriter,
} from '../../../collection/regions/region-rows.js'
import { examineWith, type PhotoEncoder } from './examine-photos.js'
import { fullPath } from './find-duplicates.js'
import { type CollectionOptions, createCollection, openCollection } from './open-collection.js'

/** Says how regions are brought up to date. */
export interface IndexRegionsOptions {
  /** Larger images are refused before they are decoded; the default is 268 million pixels. */
  readonly maxPixels?: number
  /** Is told the path of each photo whose regions are there now. */
  readonly onDone?: (path: string) => void
  /** Ends the work, which then rejects with the signal's reason; what was finished is kept. */
  readonly signal?: AbortSignal
}

const OPTIONS = { maxPixels: true, onDone: true, signal: true } satisfies OptionNames<IndexRegionsOptions>

/** Opens the regions of a collection that lies in a folder. Throws as `openCollection`: `CollectionError` `not-found` where there are none. */
export async function openRegions(
  collection: Collection,
  options: CollectionOptions = {},
): Promise<Collection> {
  return await openCollection(folderOf(collection), options)
}

function folderOf({ store }: Collection): string {
  return join(store.label, 'regions')
}

/**
 * Makes regions of the photos that have none yet, eight of each, and forgets those of photos that the collection does not know any more. Gives the number of photos
 * that were read for it.
 *
 * @throws `CollectionError` `other-identity` where the encoder is not the one that the collection was made with; what the encoder and the store throw; the signal's reason
 */
export async function indexRegions(
  collection: Collection,
  encoder: PhotoEncoder,
  options: IndexRegionsOptions = {},
): Promise<number> {
  checkOptionNames(options, OPTIONS)
  collection.assertSame(encoder.identity)
  await using keeper = await RegionKeeper.open(collection, options.signal)
  return await keeper.complete(encoder, options)
}

/** Keeps the regions of photos that are looked at. Dispose of it: what waits is written then. */
export class RegionKeeper implements AsyncDisposable {
  readonly #collection: Collection
  readonly #signal: AbortSignal | undefined
  /** Is null until the first photo says how wide its patches are. */
  #regions: Collection | null
  #writer: RegionWriter | null

  private constructor(collection: Collection, regions: Collection | null, signal: AbortSignal | undefined) {
    this.#collection = collection
    this.#signal = signal
    this.#regions = regions
    this.#writer = regions === null ? null : new RegionWriter(regions)
  }

  /** Throws as `openCollection`. */
  static async open(collection: Collection, signal: AbortSignal | undefined): Promise<RegionKeeper> {
    const regions = await openRegionsOrNull(collection, {
      write: true,
      ...(signal === undefined ? {} : { signal }),
    })
    return new RegionKeeper(collection, regions, signal)
  }

  /** Tells whether the collection has regions already, which are then kept up to date. */
  get isThere(): boolean {
    return this.#regions !== null
  }

  async add(content: string, features: RegionFeatures): Promise<void> {
    const { products } = this.#collection
    const found = await regionsOf(features, { products, signal: this.#signal })
    this.#regions ??= await this.#created(found[0]?.centre.length ?? 0)
    this.#writer ??= new RegionWriter(this.#regions)
    await this.#writer.add(content, found)
  }

  async #created(width: number): Promise<Collection> {
    const { identity, model } = this.#collection.about
    const waiting = this.#signal === undefined ? {} : { signal: this.#signal }
    const folder = folderOf(this.#collection)
    const regions = await createCollection(folder, { identity, model, width }, waiting)
    await regions.addColumns(REGION_COLUMNS)
    return regions
  }

  /** Looks at the photos that have no regions yet, and forgets those of photos that are not known any more. Throws as `indexRegions`. */
  async complete(encoder: PhotoEncoder, { maxPixels, onDone }: IndexRegionsOptions): Promise<number> {
    const signal = this.#signal
    await this.#writer?.flush()
    if (this.#regions !== null) await forgetRegions(this.#collection, this.#regions, signal)
    const has = this.#regions === null ? new Set<string>() : await contentsWithRegions(this.#regions, signal)
    const photos = await photosWithout(this.#collection, has, signal)
    const onFeatures = (content: string, features: RegionFeatures) => this.add(content, features)
    const examine = examineWith(encoder, { maxPixels, onFeatures })
    const given = (async function* () {
      yield* photos
    })()
    let count = 0
    for await (const found of examine(given, { isKnown: () => false, signal })) {
      if (!('examined' in found)) continue
      count++
      onDone?.(found.photo.path)
    }
    await this.#writer?.flush()
    await this.#regions?.prepare(signal === undefined ? {} : { signal })
    return count
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.#writer?.flush()
    } finally {
      await this.#regions?.[Symbol.asyncDispose]()
    }
  }
}

/** Gives null where there are none. Throws as `openRegions`. */
export async function openRegionsOrNull(
  collection: Collection,
  options: CollectionOptions,
): Promise<Collection | null> {
  try {
    return await openRegions(collection, options)
  } catch (error) {
    if (error instanceof CollectionError && error.code === 'not-found') return null
    throw error
  }
}

/** Gives one photo of each content that has no regions. */
async function photosWithout(
  collection: Collection,
  contents: ReadonlySet<string>,
  signal: AbortSignal | undefined,
): Promise<readonly FoundPhoto[]> {
  const rows = await filesWithoutRegions(collection, contents, signal)
  return rows.map((row) => {
    const [root, path] = [String(row.root), String(row.path)]
    const full = fullPath(collection, { root, path })
    const [bytes, modified] = [Number(row.bytes), Number(row.modified)]
    const file = { root, path, full, file: String(row.file), bytes, modified }
    return { ...file, sidecars: [], sidecarsModified: null }
  })
}

/** Brings the regions of a collection's photos up to date: a collection of their own that lies within it, or beside it. */
import { checkOptionNames, type OptionNames } from '../../../check-option-names.js'
import type { Collection } from '../../../collection/collection.js'
import { CollectionError } from '../../../collection/collection-error.js'
import type { FoundPhoto } from '../../../collection/find-photos.js'
import {
  encodePatches,
  fitPatchBasis,
  PATCH_BASIS_FILE,
  type PatchBasis,
  patchBasisFile,
} from '../../../collection/regions/patch-codes.js'
import {
  type PhotoRegion,
  type RegionFeatures,
  regionsOf,
} from '../../../collection/regions/photo-regions.js'
import {
  contentsWithRegions,
  filesWithoutRegions,
  forgetRegions,
  keepRegionsOf,
  PATCHES_COLUMN,
  REGION_COLUMNS,
  RegionWriter,
} from '../../../collection/regions/region-rows.js'
import { patchBasisOf } from '../../../collection/regions/search-regions.js'
import { CollectionSet, type SetMember, setOf } from '../../../collection/set/collection-set.js'
import { examineWith, type PhotoEncoder } from './examine-photos.js'
import { fullPath } from './find-duplicates.js'
import {
  type CollectionOptions,
  createCollection,
  OPENING,
  openCollection,
  regionsPlaceOf,
} from './open-collection.js'

/** Says how regions are brought up to date. */
export interface IndexRegionsOptions {
  /**
   * Keeps all patches of each photo too, as 64 principal components in bytes (17 kB a photo of 256 patches, a third more in the table), by which searches order the nearest photos and say
   * where in each the place is. Default: where the collection keeps patches, it goes on to.
   */
  readonly full?: boolean
  /** Larger images are refused before they are decoded; the default is 268 million pixels. */
  readonly maxPixels?: number
  /** Is told the path of each photo whose regions are there now. */
  readonly onDone?: (path: string) => void
  /** Ends the work, which then rejects with the signal's reason; what was finished is kept. */
  readonly signal?: AbortSignal
}

const OPTIONS = {
  full: true,
  maxPixels: true,
  onDone: true,
  signal: true,
} satisfies OptionNames<IndexRegionsOptions>

/** The basis is found by so many photos, or by those whose patches take so many bytes. */
const BASIS_PHOTOS = 256
const BASIS_BYTES = 2 ** 28

/**
 * Opens the regions of a collection, or of each of a set, which are searched together. Throws as `openCollection`; `CollectionError` `not-found` where there are none, with the names of
 * those of a set that have none.
 */
export async function openRegions(collection: Collection, options?: CollectionOptions): Promise<Collection>
export async function openRegions(
  collection: CollectionSet,
  options?: CollectionOptions,
): Promise<CollectionSet>
export async function openRegions(
  collection: Collection | CollectionSet,
  options: CollectionOptions = {},
): Promise<Collection | CollectionSet> {
  checkOptionNames(options, OPENING)
  const set = setOf(collection)
  const opened: SetMember[] = []
  const without: string[] = []
  try {
    for (const { name, collection: own } of set.members) {
      const regions = await openRegionsOrNull(own, options)
      if (regions === null) without.push(name)
      else opened.push({ name, collection: regions })
    }
    if (without.length > 0) throw noRegions(without, opened)
    const all = CollectionSet.of({ members: opened })
    return collection instanceof CollectionSet ? all : all.first
  } catch (error) {
    for (const { collection: regions } of opened) await regions[Symbol.asyncDispose]()
    throw error
  }
}

function noRegions(without: readonly string[], others: readonly SetMember[]): CollectionError {
  const have = without.length === 1 ? 'has' : 'have'
  const beside = others.length === 0 ? '' : `, where ${others.map(({ name }) => name).join(', ')} have some`
  return new CollectionError(
    'not-found',
    `${without.join(', ')} ${have} no regions${beside}: make them (plumage index --regions <folders> --to <collection>)${others.length === 0 ? '' : ', or search the others alone'}.`,
  )
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
  await using keeper = await RegionKeeper.open(collection, options)
  return await keeper.complete(encoder, options)
}

/** Is a photo whose patches wait for a basis. */
interface HeldPhoto {
  readonly content: string
  readonly found: readonly PhotoRegion[]
  readonly features: RegionFeatures
}

/** Keeps the regions of photos that are looked at. Dispose of it: what waits is written then. */
export class RegionKeeper implements AsyncDisposable {
  readonly #collection: Collection
  readonly #signal: AbortSignal | undefined
  readonly #isFull: boolean
  /** Is null until the first photo says how wide its patches are. */
  #regions: Collection | null
  #writer: RegionWriter | null
  #basis: PatchBasis | null
  #held: HeldPhoto[] = []
  #heldBytes = 0

  private constructor(
    collection: Collection,
    { regions, basis, isFull }: { regions: Collection | null; basis: PatchBasis | null; isFull: boolean },
    signal: AbortSignal | undefined,
  ) {
    this.#collection = collection
    this.#signal = signal
    this.#isFull = isFull
    this.#regions = regions
    this.#basis = basis
    this.#writer = regions === null ? null : new RegionWriter(regions)
  }

  /** Throws as `openCollection`. */
  static async open(
    collection: Collection,
    { full = false, signal }: Pick<IndexRegionsOptions, 'full' | 'signal'> = {},
  ): Promise<RegionKeeper> {
    const regions = await openRegionsOrNull(collection, {
      write: true,
      ...(signal === undefined ? {} : { signal }),
    })
    const isFull = full || (regions?.columns.some(({ name }) => name === PATCHES_COLUMN.name) ?? false)
    if (full) await regions?.addColumns([PATCHES_COLUMN])
    const basis = regions === null ? null : await patchBasisOf(regions)
    return new RegionKeeper(collection, { regions, basis, isFull }, signal)
  }

  /** Tells whether the collection has regions already, which are then kept up to date. */
  get isThere(): boolean {
    return this.#regions !== null
  }

  async add(content: string, features: RegionFeatures): Promise<void> {
    const found = await regionsOf(features, this.#options)
    const width = found[0]?.centre.length ?? 0
    this.#regions ??= await this.#created(width)
    this.#writer ??= new RegionWriter(this.#regions)
    if (!this.#isFull) return await this.#writer.add(content, found)
    this.#held.push({ content, found, features })
    this.#heldBytes += features.patches.byteLength
    if (this.#basis !== null || this.#held.length === BASIS_PHOTOS || this.#heldBytes >= BASIS_BYTES)
      await this.#settle()
  }

  get #options() {
    return { products: this.#collection.products, signal: this.#signal }
  }

  /** Hands on the photos that wait for a basis, which is found by them where there is none. */
  async #settle(): Promise<void> {
    const held = this.#held
    this.#held = []
    this.#heldBytes = 0
    if (held.length === 0 || this.#regions === null) return
    const { width } = this.#regions.about
    if (this.#basis === null) {
      const patches = held.map(({ features }) => features.patches)
      const basis = await fitPatchBasis(patches, width, this.#options)
      // It lies there before the first codes that it explains.
      await this.#regions.store.writeFile(PATCH_BASIS_FILE, patchBasisFile(basis))
      this.#basis = basis
    }
    for (const { content, found, features } of held)
      await this.#writer?.add(content, found, await encodePatches(features, this.#basis, this.#options))
  }

  async #flush(): Promise<void> {
    await this.#settle()
    await this.#writer?.flush()
  }

  async #created(width: number): Promise<Collection> {
    const { identity, model } = this.#collection.about
    const waiting = this.#signal === undefined ? {} : { signal: this.#signal }
    const place = regionsPlaceOf(this.#collection)
    const regions = await createCollection(place, { identity, model, width }, waiting)
    await regions.addColumns([...REGION_COLUMNS, ...(this.#isFull ? [PATCHES_COLUMN] : [])])
    return regions
  }

  /** Looks at the photos that have no regions yet, and forgets those of photos that are not known any more. Throws as `indexRegions`. */
  async complete(encoder: PhotoEncoder, { maxPixels, onDone }: IndexRegionsOptions): Promise<number> {
    const signal = this.#signal
    await this.#flush()
    if (this.#regions !== null) await forgetRegions(this.#collection, this.#regions, signal)
    const has =
      this.#regions === null
        ? new Set<string>()
        : await contentsWithRegions(this.#regions, signal, { patches: this.#isFull })
    // Regions that were made without patches are made again with them.
    if (this.#isFull && this.#regions !== null) await keepRegionsOf(this.#regions, has, signal)
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
    await this.#flush()
    await this.#regions?.prepare(signal === undefined ? {} : { signal })
    return count
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      // What waits for a basis when the work is given up is looked at again by the next.
      if (!this.#signal?.aborted) await this.#settle()
      await this.#writer?.flush()
    } finally {
      await this.#regions?.[Symbol.asyncDispose]()
    }
  }
}

/** Gives null where there are none. Throws as `openCollection`. */
export async function openRegionsOrNull(
  collection: Collection,
  options: CollectionOptions,
): Promise<Collection | null> {
  try {
    return await openCollection(regionsPlaceOf(collection), options)
  } catch (error) {
    if (error instanceof CollectionError && error.code === 'not-found') return null
    throw error
  }
}

/** Gives null where none of the set has regions. Throws as `openRegions` where some have. */
export async function openRegionsOfSetOrNull(
  set: CollectionSet,
  options: CollectionOptions,
): Promise<CollectionSet | null> {
  for (const { collection } of set.members) {
    const regions = await openRegionsOrNull(collection, options)
    await regions?.[Symbol.asyncDispose]()
    if (regions !== null) return await openRegions(set, options)
  }
  return null
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

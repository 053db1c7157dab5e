/**
 * Searches the regions of photos: a place is compared with places, and each photo is found by its best one. Where all patches are kept, those of the nearest photos are compared with it
 * at once, and say where in each photo it is.
 */
import { checkOptionNames, type OptionNames } from '../../check-option-names.js'
import { given } from '../../encoder/choose-recipe.js'
import type { Collection } from '../collection.js'
import { type Row, rowsOf } from '../row-block.js'
import { type RankedPhoto, type SearchPage, searchPhotos } from '../search/search-photos.js'
import type { Condition } from '../where/condition.js'
import { type FoundPlace, placeOfCosines } from './find-place.js'
import {
  type CodedDirection,
  codedDirection,
  cosinesOf,
  PATCH_BASIS_FILE,
  type PatchBasis,
  readPatchBasis,
  readPatches,
} from './patch-codes.js'
import { PATCHES_COLUMN } from './region-rows.js'

/** Says which photos are wanted. */
export interface RegionSearchOptions {
  /** Wants photos only of which this is true, as `parseWhere` reads it; default: all. */
  readonly where?: string
  /** Leaves out photos none of whose regions is as alike, by their cosine. */
  readonly minSimilarity?: number
  /** Leaves out photos of this content: the SHA-256 of the file that is asked for. Default: none. */
  readonly without?: string
  /** Compares the patches of so many photos at a time, where they are kept, and orders these photos by them; default 200. 0 leaves it at the regions. */
  readonly rerank?: number
  /** Ends the search, which then throws the signal's reason. */
  readonly signal?: AbortSignal
}

const OPTIONS = {
  where: true,
  minSimilarity: true,
  without: true,
  rerank: true,
  signal: true,
} satisfies OptionNames<RegionSearchOptions>

/** So many regions are asked for at a time, and twice as many after each. */
const FIRST_PAGE = 256
/** With no more photos than this, their regions alone are looked through: a rare photo's lie far behind. */
const FEW_PHOTOS = 400
const RERANKED = 200

/**
 * Gives photo after photo, that with the nearest region first, each with the region's box. Each is found once, by its best
 * region; its `share` is that of random pairs of regions. Where patches are kept, photos come in groups of `rerank`, and in a group that with the nearest patch first: the similarity is
 * that patch's as its components tell it, and there is no share. Throws RangeError for a query of another width than the regions', and for a `rerank` that is no count; `CollectionError`
 * `wrong-where`, `damaged`; what the stores throw; the signal's reason.
 *
 * @param regions belongs to the collection (`openRegions`)
 * @param query [D] is the direction of a place: the mean of its patches' unit vectors
 */
export async function* searchRegions(
  collection: Collection,
  regions: Collection,
  query: Float32Array,
  options: RegionSearchOptions = {},
): AsyncGenerator<RankedPhoto, void, undefined> {
  checkOptionNames(options, OPTIONS)
  const { rerank = RERANKED, minSimilarity = Number.NEGATIVE_INFINITY, signal } = options
  if (!(Number.isSafeInteger(rerank) && rerank >= 0))
    throw new RangeError(`rerank is ${rerank}: give a whole number, 0 or more.`)
  const basis = rerank === 0 ? null : await patchBasisOf(regions)
  if (basis === null) return yield* nearestRegions(collection, regions, query, options)
  const direction = codedDirection(basis, query)
  // A region is less alike than its best patch, so that a bound on patches bounds no region.
  const { minSimilarity: _, ...wide } = options
  let group: RankedPhoto[] = []
  const ranked = async () => {
    const photos = await rankByPatches(regions, group, { basis, direction, signal })
    group = []
    return photos.filter(({ similarity }) => similarity >= minSimilarity)
  }
  let contents = new Set<unknown>()
  for await (const photo of nearestRegions(collection, regions, query, wide)) {
    // The same file in two places is one photo to compare.
    if (contents.size === rerank && !contents.has(photo.row.content)) {
      yield* await ranked()
      contents = new Set()
    }
    contents.add(photo.row.content)
    group.push(photo)
  }
  yield* await ranked()
}

/** Gives what the patches of a collection's photos are described by; null where patches are not kept. Throws `CollectionError` `damaged`; what the store throws. */
export async function patchBasisOf({ store, about }: Collection): Promise<PatchBasis | null> {
  const bytes = await store.readFile(PATCH_BASIS_FILE)
  return bytes === null ? null : readPatchBasis(bytes, about.width, store.label)
}

/** Orders photos by their nearest patch, and puts the box around it. A photo whose patches are not there keeps its region's. */
async function rankByPatches(
  regions: Collection,
  photos: readonly RankedPhoto[],
  {
    basis,
    direction,
    signal,
  }: {
    readonly basis: PatchBasis
    readonly direction: CodedDirection
    readonly signal: AbortSignal | undefined
  },
): Promise<readonly RankedPhoto[]> {
  const contents = [...new Set(photos.map(({ row }) => String(row.content)))]
  const places = new Map<string, FoundPlace>()
  const components = basis.components.length / basis.mean.length
  const kept = regions.where("state = 'patches'")
  const choice = { columns: ['content', PATCHES_COLUMN.name], where: kept, signal }
  for await (const { content, patches } of rowsOfContents(regions, contents, choice)) {
    const coded = readPatches(String(patches), components, regions.store.label)
    places.set(String(content), placeOfCosines(coded, cosinesOf(coded, direction)))
  }
  const ranked = photos.map((photo) => {
    const place = places.get(String(photo.row.content))
    return place === undefined ? photo : { ...photo, ...place, share: null }
  })
  return ranked.sort((a, b) => b.similarity - a.similarity || (String(a.row.id) < String(b.row.id) ? -1 : 1))
}

async function* nearestRegions(
  collection: Collection,
  regions: Collection,
  query: Float32Array,
  options: RegionSearchOptions,
): AsyncGenerator<RankedPhoto, void, undefined> {
  const { minSimilarity, without, signal } = options
  const isEmbedded = collection.where("state = 'embedded'")
  const all: Condition[] = [
    isEmbedded,
    ...(options.where === undefined ? [] : [collection.where(options.where)]),
  ]
  const wanted: Condition = { is: 'and', of: all }
  const few = options.where === undefined ? null : await fewContents(collection, wanted, signal)
  const within = few === null ? {} : { where: amongContents(regions, few) }
  if (few?.length === 0) return
  const seen = new Set<string>(without === undefined ? [] : [without])
  let after: string | null | undefined
  for (let count = FIRST_PAGE; after !== null; count *= 2) {
    const choice = given({ minSimilarity, signal, after })
    const page: SearchPage = await searchPhotos(
      regions,
      { like: [{ embedding: query }] },
      { ...within, ...choice, count, columns: ['content', ...EDGES] },
    )
    const best = page.photos.filter(({ row }) => {
      const content = String(row.content)
      if (seen.has(content)) return false
      seen.add(content)
      return true
    })
    const photos = await photosWith(
      collection,
      best.map(({ row }) => String(row.content)),
      wanted,
      signal,
    )
    for (const { similarity, share, row: region } of best)
      for (const row of photos.get(String(region.content)) ?? [])
        yield { similarity, share, row, box: boxOf(region) }
    after = page.next
  }
}

/** Are the columns of a region's box. */
const EDGES = ['left_edge', 'top_edge', 'right_edge', 'bottom_edge']

function boxOf(region: Row) {
  const [left = 0, top = 0, right = 0, bottom = 0] = EDGES.map((name) => Number(region[name]))
  return { left, top, right, bottom }
}

function amongContents(collection: Collection, contents: readonly string[]): Condition {
  const column = collection.columns.find(({ name }) => name === 'content')
  if (column === undefined) throw new Error('a collection has no contents')
  return { is: 'among', column, constants: contents }
}

/** Gives the contents of the photos of which something is true, where there are few of them; else null. */
async function fewContents(
  collection: Collection,
  where: Condition,
  signal: AbortSignal | undefined,
): Promise<readonly string[] | null> {
  const found = new Set<string>()
  for await (const block of collection.scan({ columns: ['content'], where, signal })) {
    for (const content of block.values.content ?? []) if (content !== null) found.add(String(content))
    if (found.size > FEW_PHOTOS) return null
  }
  return [...found]
}

async function photosWith(
  collection: Collection,
  contents: readonly string[],
  where: Condition,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, readonly Row[]>> {
  const found = new Map<string, Row[]>()
  const columns = collection.columns.map(({ name }) => name)
  for await (const row of rowsOfContents(collection, contents, { columns, where, signal })) {
    const content = String(row.content)
    found.set(content, [...(found.get(content) ?? []), row])
  }
  for (const rows of found.values()) rows.sort((a, b) => (String(a.id) < String(b.id) ? -1 : 1))
  return found
}

/** Gives the rows of these contents of which something is true: a condition that named all contents at once would be too long. */
async function* rowsOfContents(
  collection: Collection,
  contents: readonly string[],
  {
    columns,
    where,
    signal,
  }: {
    readonly columns: readonly string[]
    readonly where: Condition
    readonly signal: AbortSignal | undefined
  },
): AsyncGenerator<Row> {
  for (let at = 0; at < contents.length; at += FEW_PHOTOS) {
    const among = amongContents(collection, contents.slice(at, at + FEW_PHOTOS))
    const both: Condition = { is: 'and', of: [among, where] }
    for await (const block of collection.scan({ columns, where: both, signal })) yield* rowsOf(block)
  }
}

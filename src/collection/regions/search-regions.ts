/**
 * Searches the regions of photos, of one collection or of several as if they were one: a place is compared with places, and each photo is found by its best one. Where all patches are kept, those of the nearest photos are compared with it
 * at once, and say where in each photo it is.
 */
import { checkOptionNames, type OptionNames } from '../../check-option-names.js'
import { given } from '../../encoder/choose-recipe.js'
import type { Collection } from '../collection.js'
import { type Row, rowsOf } from '../row-block.js'
import { type RankedPhoto, type SearchPage, searchPhotos } from '../search/search-photos.js'
import { type CollectionSet, setOf } from '../set/collection-set.js'
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
 * that patch's as its components tell it, and there is no share; of several collections that is so where all of them keep patches. Throws RangeError for a query of another width than the
 * regions', for a `rerank` that is no count, and for regions that are not of these collections; `CollectionError` `wrong-where`, `damaged`; what the stores throw; the signal's reason.
 *
 * @param regions belongs to the collection, or to those of the set, in their order (`openRegions`)
 * @param query [D] is the direction of a place: the mean of its patches' unit vectors
 */
export async function* searchRegions(
  collection: Collection | CollectionSet,
  regions: Collection | CollectionSet,
  query: Float32Array,
  options: RegionSearchOptions = {},
): AsyncGenerator<RankedPhoto, void, undefined> {
  checkOptionNames(options, OPTIONS)
  const { rerank = RERANKED, minSimilarity = Number.NEGATIVE_INFINITY, signal } = options
  if (!(Number.isSafeInteger(rerank) && rerank >= 0))
    throw new RangeError(`rerank is ${rerank}: give a whole number, 0 or more.`)
  const sets = { photos: setOf(collection), regions: setOf(regions) }
  assertBelong(sets)
  const bases = rerank === 0 ? null : await basesOf(sets.regions)
  if (bases === null) return yield* nearestRegions(sets, query, options)
  const directions = bases.map((basis) => ({ basis, direction: codedDirection(basis, query) }))
  // A region is less alike than its best patch, so that a bound on patches bounds no region.
  const { minSimilarity: _, ...wide } = options
  let group: RankedPhoto[] = []
  const ranked = async () => {
    const photos = await rankByPatches(sets, group, directions, signal)
    group = []
    return photos.filter(({ similarity }) => similarity >= minSimilarity)
  }
  let contents = new Set<unknown>()
  for await (const photo of nearestRegions(sets, query, wide)) {
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

/** Holds collections, and the regions of each in the same order. */
interface Searched {
  readonly photos: CollectionSet
  readonly regions: CollectionSet
}

function assertBelong({ photos, regions }: Searched): void {
  const names = [photos, regions].map(({ members }) => members.map(({ name }) => name))
  const [of = [], given = []] = names
  if (of.length === 1 && given.length === 1) return
  if (String(of) !== String(given))
    throw new RangeError(
      `The regions are those of ${given.join(', ')}, and the collections ${of.join(', ')}.`,
    )
}

/** Gives null where one of them keeps no patches: numbers of patches and of regions are not ordered together. */
async function basesOf({ members }: CollectionSet): Promise<readonly PatchBasis[] | null> {
  const bases: PatchBasis[] = []
  for (const { collection } of members) {
    const basis = await patchBasisOf(collection)
    if (basis === null) return null
    bases.push(basis)
  }
  return bases
}

/** Gives what the patches of a collection's photos are described by; null where patches are not kept. Throws `CollectionError` `damaged`; what the store throws. */
export async function patchBasisOf({ store, about }: Collection): Promise<PatchBasis | null> {
  const bytes = await store.readFile(PATCH_BASIS_FILE)
  return bytes === null ? null : readPatchBasis(bytes, about.width, store.label)
}

/** Is what the patches of a collection are compared with. */
interface BasisDirection {
  readonly basis: PatchBasis
  readonly direction: CodedDirection
}

/** Orders photos by their nearest patch, and puts the box around it. A photo whose patches are not there keeps its region's. */
async function rankByPatches(
  { photos: set, regions }: Searched,
  photos: readonly RankedPhoto[],
  directions: readonly BasisDirection[],
  signal: AbortSignal | undefined,
): Promise<readonly RankedPhoto[]> {
  const memberOf = ({ collection }: RankedPhoto) => (collection === undefined ? 0 : set.numberOf(collection))
  const places: ReadonlyMap<string, FoundPlace>[] = []
  for (const [member, own] of directions.entries()) {
    const contents = photos
      .filter((photo) => memberOf(photo) === member)
      .map(({ row }) => String(row.content))
    places.push(await placesByPatches(regions.at(member), [...new Set(contents)], own, signal))
  }
  const ranked = photos.map((photo) => {
    const place = places[memberOf(photo)]?.get(String(photo.row.content))
    return place === undefined ? photo : { ...photo, ...place, share: null }
  })
  const byId = (a: RankedPhoto, b: RankedPhoto) => {
    const [one, two] = [String(a.row.id), String(b.row.id)]
    return one < two ? -1 : one > two ? 1 : memberOf(a) - memberOf(b)
  }
  return ranked.sort((a, b) => b.similarity - a.similarity || byId(a, b))
}

async function placesByPatches(
  regions: Collection,
  contents: readonly string[],
  { basis, direction }: BasisDirection,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, FoundPlace>> {
  const components = basis.components.length / basis.mean.length
  const places = new Map<string, FoundPlace>()
  const kept = regions.where("state = 'patches'")
  const choice = { columns: ['content', PATCHES_COLUMN.name], where: kept, signal }
  for await (const { content, patches } of rowsOfContents(regions, contents, choice)) {
    const coded = readPatches(String(patches), components, regions.store.label)
    places.set(String(content), placeOfCosines(coded, cosinesOf(coded, direction)))
  }
  return places
}

async function* nearestRegions(
  { photos: set, regions }: Searched,
  query: Float32Array,
  options: RegionSearchOptions,
): AsyncGenerator<RankedPhoto, void, undefined> {
  const { minSimilarity, without, signal } = options
  const asked = options.where === undefined ? null : set.where(options.where)
  const isEmbedded = set.where("state = 'embedded'")
  const wanted = isEmbedded.map((state, at): Condition => {
    const own = asked?.[at]
    return own === undefined ? state : { is: 'and', of: [state, own] }
  })
  const few = asked === null ? null : await fewContents(set, wanted, signal)
  const within = few === null ? {} : { where: amongContents(regions.first, few) }
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
      set,
      best.map(({ row }) => String(row.content)),
      wanted,
      signal,
    )
    for (const { similarity, share, row: region } of best)
      for (const photo of photos.get(String(region.content)) ?? [])
        yield { similarity, share, ...photo, box: boxOf(region) }
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
  { members }: CollectionSet,
  wanted: readonly Condition[],
  signal: AbortSignal | undefined,
): Promise<readonly string[] | null> {
  const found = new Set<string>()
  for (const [at, { collection }] of members.entries()) {
    const choice = given({ where: wanted[at], signal })
    for await (const block of collection.scan({ columns: ['content'], ...choice })) {
      for (const content of block.values.content ?? []) if (content !== null) found.add(String(content))
      if (found.size > FEW_PHOTOS) return null
    }
  }
  return [...found]
}

/** Gives the photos of each content, in the order of their ids. */
async function photosWith(
  { members }: CollectionSet,
  contents: readonly string[],
  wanted: readonly Condition[],
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, readonly Pick<RankedPhoto, 'row' | 'collection'>[]>> {
  const found = new Map<string, Pick<RankedPhoto, 'row' | 'collection'>[]>()
  for (const [at, { name, collection }] of members.entries()) {
    const columns = collection.columns.map((column) => column.name)
    const where = wanted[at]
    if (where === undefined) throw new Error(`${name} has no condition`)
    for await (const row of rowsOfContents(collection, contents, { columns, where, signal })) {
      const content = String(row.content)
      const photo = members.length === 1 ? { row } : { row, collection: name }
      found.set(content, [...(found.get(content) ?? []), photo])
    }
  }
  // Of equal ids that of the earlier collection stays the first.
  for (const photos of found.values())
    photos.sort(({ row: a }, { row: b }) => (a.id === b.id ? 0 : String(a.id) < String(b.id) ? -1 : 1))
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

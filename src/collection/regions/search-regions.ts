/** Searches the regions of photos: a place is compared with places, and each photo is found by its best one. */
import { checkOptionNames, type OptionNames } from '../../check-option-names.js'
import { given } from '../../encoder/choose-recipe.js'
import type { Collection } from '../collection.js'
import { type Row, rowsOf } from '../row-block.js'
import { type RankedPhoto, type SearchPage, searchPhotos } from '../search/search-photos.js'
import type { Condition } from '../where/condition.js'

/** Says which photos are wanted. */
export interface RegionSearchOptions {
  /** Wants photos only of which this is true, as `parseWhere` reads it; default: all. */
  readonly where?: string
  /** Leaves out photos none of whose regions is as alike, by their cosine. */
  readonly minSimilarity?: number
  /** Leaves out photos of this content: the SHA-256 of the file that is asked for. Default: none. */
  readonly without?: string
  /** Ends the search, which then throws the signal's reason. */
  readonly signal?: AbortSignal
}

const OPTIONS = {
  where: true,
  minSimilarity: true,
  without: true,
  signal: true,
} satisfies OptionNames<RegionSearchOptions>

/** So many regions are asked for at a time, and twice as many after each. */
const FIRST_PAGE = 256
/** With no more photos than this, their regions alone are looked through: a rare photo's lie far behind. */
const FEW_PHOTOS = 400

/**
 * Gives photo after photo, that with the nearest region first, each with the region's box. Each is found once, by its best
 * region; its `share` is that of random pairs of regions. Throws RangeError for a query of another width than the regions'; `CollectionError` `wrong-where`; what the stores throw; the signal's reason.
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
      { ...within, ...choice, count },
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

function boxOf({ left_edge, top_edge, right_edge, bottom_edge }: Row) {
  const [left = 0, top = 0, right = 0, bottom = 0] = [left_edge, top_edge, right_edge, bottom_edge].map(
    Number,
  )
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
  for (let at = 0; at < contents.length; at += FEW_PHOTOS) {
    const among = amongContents(collection, contents.slice(at, at + FEW_PHOTOS))
    const both: Condition = { is: 'and', of: [among, where] }
    for await (const block of collection.scan({ columns, where: both, signal }))
      for (const row of rowsOf(block)) {
        const content = String(row.content)
        found.set(content, [...(found.get(content) ?? []), row])
      }
  }
  for (const rows of found.values()) rows.sort((a, b) => (String(a.id) < String(b.id) ? -1 : 1))
  return found
}

/**
 * Searches a collection, or several together, by examples: photos, or embeddings that come from elsewhere. As many photos are found as were asked for, whenever so many are wanted at
 * all: whatever leaves some out (a condition, the examples themselves, copies), the search goes on behind them.
 */
import { checkOptionNames, type OptionNames } from '../../check-option-names.js'
import { given } from '../../encoder/choose-recipe.js'
import type { Box } from '../../image/image.js'
import type { Collection } from '../collection.js'
import { type Row, wideHalvesOf } from '../row-block.js'
import { embeddingsOfSet, nearestInSet, placeInSet, rowsOfSet, type SetPlace } from '../set/ask-set.js'
import { type CollectionSet, setOf } from '../set/collection-set.js'
import { inSetOrder, type SetCandidate, type SetCandidates } from '../set/merge-candidates.js'
import { unit } from '../unit.js'
import type { Condition } from '../where/condition.js'
import { type Cursor, cursorOf, cursorText, searchDigest } from './cursor.js'
import { diversePlaces } from './diverse.js'
import { pairSampleOfSet } from './pair-sample.js'
import { type QueryVector, type QueryWay, queryVector } from './query-vector.js'

/** Is what photos are to be like, or unlike. */
export type Example =
  | {
      /** Is that of a photo of the collection. */
      readonly id: string
      /** Names the collection of a set that has the photo; it is needed where several have this id. */
      readonly collection?: string
    }
  | {
      /** [D] Is of any length; its numbers rest on what those of the collection rest on. */
      readonly embedding: Float32Array
      /** Is the SHA-256 of the photo's file, if it is one, in 64 hexadecimal digits: by it the photo itself is left out of the results. */
      readonly content?: string
    }

/** Says what is searched for. */
export interface SearchQuery {
  /** Holds one example or more. */
  readonly like: readonly Example[]
  /** Holds examples of what is not wanted; default: none. With at least five of each kind a linear probe is trained on them. */
  readonly unlike?: readonly Example[]
}

/** Says which photos are wanted, and how many. */
export interface PhotoSearchOptions {
  /** Counts the photos of a page; default 10. */
  readonly count?: number
  /** Wants photos only of which this is true: a text as `parseWhere` reads it, or what it gives. Default: all. */
  readonly where?: string | Condition
  /** Leaves out photos that are less alike, by their cosine. */
  readonly minSimilarity?: number
  /** Asks the index where the store has one, which may miss some of the nearest; default `false`: all photos are looked at. */
  readonly indexed?: boolean
  /**
   * Asks so many collections of a set alone, those whose centroids are nearest to what is searched for, and further ones where these have too few photos: it is quicker,
   * and misses what lies in others (`CollectionSet.near` says how much). Default: all are asked.
   */
  readonly near?: number
  /** Says how much what is not wanted counts beside what is, where no probe is trained; default 0.2. */
  readonly unlikeWeight?: number
  /** Chooses photos that differ from each other: 1 looks at similarity alone, 0 at differences alone. Default: by similarity. */
  readonly diverse?: number
  /** Takes the photos that are asked for among the results; default `false`. */
  readonly withSelf?: boolean
  /** Takes of photos with the same bytes, or the same pixels, the first alone; default `false`. */
  readonly unique?: boolean
  /** Goes on where a page ended, by its `next`. */
  readonly after?: string
  /** Names the columns of the rows; default: all. */
  readonly columns?: readonly string[]
  /** Ends the search, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal
  /** Is told how many photos have been looked at. */
  readonly onProgress?: (progress: SearchProgress) => void
}

/** Says how far a search is. */
export interface SearchProgress {
  /** Counts the photos that have been looked at. */
  readonly photos: number
}

/** Is a photo that was found. */
export interface RankedPhoto {
  /** Is the cosine with what was searched for. */
  readonly similarity: number
  /** Is the share of random pairs of photos of this collection, or of all collections of the set, that are less alike; null where examples of what is not wanted turn the direction, and below two photos. */
  readonly share: number | null
  /** Is the photo's row. */
  readonly row: Row
  /** Names the collection that has it; absent where there is only one. */
  readonly collection?: string
  /** Is where in the photo it is, in the upright photo's own pixels, where a region was searched for. */
  readonly box?: Box
}

/** Is a part of the results. */
export interface SearchPage {
  /** Holds the photos, nearest first; of equal ones that with the smaller id, and of equal ids that of the earlier collection of a set. */
  readonly photos: readonly RankedPhoto[]
  /** Says where it ends, for `after`; null where there are no more. */
  readonly next: string | null
  /** Is the version of the collection that was searched; of a set, a number that changes when rows of any of its collections do. */
  readonly version: number
  /** Tells that the page before was of another version, which is gone: photos may be missing between the two, or come twice. */
  readonly versionIsGone: boolean
  /** Says how one direction was made of all examples. */
  readonly way: QueryWay
  /** Names the collections that were asked; absent where there is only one. */
  readonly asked?: readonly string[]
}

const OPTIONS = {
  count: true,
  where: true,
  minSimilarity: true,
  indexed: true,
  near: true,
  unlikeWeight: true,
  diverse: true,
  withSelf: true,
  unique: true,
  after: true,
  columns: true,
  signal: true,
  onProgress: true,
} satisfies OptionNames<PhotoSearchOptions>

/** Among so many times the wanted photos those are chosen that differ, and among so many at least. */
const POOL = { times: 10, atLeast: 100 }

/**
 * Finds a page of photos: of one collection, or of several, where the page is the one that a collection of all their rows would give, unless `near` or `indexed` is asked for. Throws `CollectionError`: `not-found` for an id that no photo of the collection has or that has no embedding, `wrong-where`,
 * `wrong-cursor`, `no-direction`, `unknown-photo` for an id that several collections have; RangeError for an embedding of another width, and for options that make no sense; the signal's reason.
 */
export async function searchPhotos(
  collection: Collection | CollectionSet,
  query: SearchQuery,
  options: PhotoSearchOptions = {},
): Promise<SearchPage> {
  checkOptions(options)
  const search = await Search.prepare(setOf(collection), query, options)
  return await search.page()
}

/** Gives photo after photo, as long as there are any and somebody asks; `count` is that of a page. Throws as `searchPhotos`. */
export async function* everyPhoto(
  collection: Collection | CollectionSet,
  query: SearchQuery,
  options: Omit<PhotoSearchOptions, 'after'> = {},
): AsyncGenerator<RankedPhoto, void, undefined> {
  let page: SearchPage | null = null
  do {
    const after: { readonly after?: string } = page === null ? {} : { after: page.next ?? '' }
    page = await searchPhotos(collection, query, { ...options, ...after })
    yield* page.photos
  } while (page.next !== null)
}

function checkOptions(options: PhotoSearchOptions): void {
  checkOptionNames(options, OPTIONS)
  const { count = 10, diverse, after, near = 1, unlikeWeight = 0, minSimilarity = 0 } = options
  if (!(Number.isSafeInteger(count) && count >= 1))
    throw new RangeError(`A page has no ${count} photos: count is a whole number from 1.`)
  if (diverse !== undefined && !(diverse >= 0 && diverse <= 1))
    throw new RangeError(`diverse is a number from 0 to 1, not ${diverse}.`)
  if (diverse !== undefined && after !== undefined)
    throw new RangeError(
      'Photos that differ from each other are chosen once: they have no further pages. Ask for more of them.',
    )
  if (!(unlikeWeight >= 0 && Number.isFinite(unlikeWeight)))
    throw new RangeError(`unlikeWeight is a number from 0, not ${unlikeWeight}.`)
  if (!(Number.isSafeInteger(near) && near >= 1))
    throw new RangeError(`near is a whole number of collections from 1, not ${near}.`)
  if (Number.isNaN(minSimilarity)) throw new RangeError('minSimilarity is a number from -1 to 1.')
}

/** Says which photos are asked for, by place and by content. */
interface OwnPhotos {
  readonly places: ReadonlySet<string>
  readonly contents: ReadonlySet<string>
}

interface SearchParts {
  readonly set: CollectionSet
  readonly options: PhotoSearchOptions
  readonly query: QueryVector
  /** Is there for each collection. */
  readonly where: readonly Condition[] | null
  readonly own: OwnPhotos
  readonly version: number
}

interface KeptCandidate extends SetCandidate {
  /** Counts how many were looked at up to it. */
  readonly seen: number
}

class Search {
  readonly #parts: SearchParts
  /** Are the collections that were asked last. */
  #asked: readonly number[] = []

  private constructor(parts: SearchParts) {
    this.#parts = parts
  }

  static async prepare(set: CollectionSet, query: SearchQuery, options: PhotoSearchOptions): Promise<Search> {
    const { like, unlike = [] } = query
    if (like.length === 0) throw new RangeError('A search needs an example of what photos are to be like.')
    const where = options.where === undefined ? null : set.where(options.where)
    const version = await set.version()
    const examples = [...like, ...unlike]
    const places = await placesOf(set, examples, options.signal)
    const vectors = await vectorsOf(set, examples, places, options.signal)
    const contents = new Set(
      examples.flatMap((example) => ('content' in example ? [example.content ?? ''] : [])),
    )
    const direction = await queryVector(vectors.slice(0, like.length), vectors.slice(like.length), {
      unlikeWeight: options.unlikeWeight,
      signal: options.signal,
    })
    const own = {
      places: new Set(places.flatMap((place) => (place === null ? [] : [keyOf(place)]))),
      contents,
    }
    return new Search({ set, options, query: direction, where, own, version })
  }

  async page(): Promise<SearchPage> {
    const { set, query, version, options } = this.#parts
    const { count = 10, diverse, after } = options
    const digest = searchDigest(query.vector, this.#settings())
    const cursor = after === undefined ? null : cursorOf(after, digest)
    const wanted = diverse === undefined ? count : Math.max(POOL.atLeast, POOL.times * count)
    const { kept, hasMore } = await this.#wanted(wanted, cursor)
    const chosen = diverse === undefined ? kept : await this.#different(kept, count, diverse)
    const last = kept.at(-1)
    const next =
      hasMore && diverse === undefined && last !== undefined
        ? cursorText({ ...last, version, search: digest })
        : null
    const names = this.#asked.map((member) => set.members[member]?.name ?? '')
    return {
      photos: await this.#ranked(chosen),
      next,
      version,
      versionIsGone: cursor !== null && cursor.version !== version,
      way: query.way,
      ...(set.members.length === 1 ? {} : { asked: names }),
    }
  }

  /** Tells one search from another: a page goes on where one of the same ended. */
  #settings(): string {
    const { set, options } = this.#parts
    const { where = '', withSelf = false, unique = false, minSimilarity = -2, near = null } = options
    const own = [where, withSelf, unique, minSimilarity]
    const names = set.members.map(({ name }) => name)
    return JSON.stringify(names.length === 1 ? own : [...own, near, names])
  }

  /** Gives the first photos that are wanted and lie behind the cursor, each with how many were looked at up to it. */
  async #wanted(
    count: number,
    cursor: Cursor | null,
  ): Promise<{ readonly kept: readonly KeptCandidate[]; readonly hasMore: boolean }> {
    const { places, contents } = this.#parts.own
    for (let asked = (cursor?.seen ?? 0) + count + places.size + contents.size + 1; ; asked *= 2) {
      const { best, isAll } = await this.#nearest(asked)
      const { minSimilarity = Number.NEGATIVE_INFINITY } = this.#parts.options
      const near = best.filter(({ similarity }) => similarity >= minSimilarity)
      const fit = await this.#fitting(near)
      const behind = fit.filter((candidate) => cursor === null || inSetOrder(candidate, cursor) > 0)
      const isEnd = isAll || near.length < best.length
      if (behind.length > count || isEnd)
        return { kept: behind.slice(0, count), hasMore: behind.length > count }
    }
  }

  async #nearest(count: number): Promise<SetCandidates> {
    const { set, query, where, options } = this.#parts
    const { signal, onProgress, indexed = false, near } = options
    const onLooked = (photos: number) => onProgress?.({ photos })
    const found = await nearestInSet(set, query.vector, count, { where, indexed, near, signal, onLooked })
    this.#asked = found.asked
    return found
  }

  /** Leaves out what is gone, the examples themselves, and copies, as far as that is asked for. */
  async #fitting(near: readonly SetCandidate[]): Promise<readonly KeptCandidate[]> {
    const { set, where, own, options } = this.#parts
    const { withSelf = false, unique = false, signal } = options
    const content = own.contents.size > 0 ? ['content'] : []
    const columns = ['id', 'state', ...(unique ? ['content', 'pixels'] : content)]
    // What the index has found may have been changed since.
    const rows = await rowsOfSet(set, near, { columns, ...given({ where: where ?? undefined, signal }) })
    const before = new Set<unknown>()
    return near.flatMap((candidate, at) => {
      const row = rows[at]
      if (row === null || row === undefined || row.state !== 'embedded') return []
      const { content = null, pixels = null } = row
      const isOwn = own.places.has(keyOf(candidate)) || own.contents.has(String(content))
      if (isOwn && !withSelf) return []
      if (unique && (before.has(content) || before.has(pixels))) return []
      for (const known of [content, pixels]) if (known !== null) before.add(known)
      return [{ ...candidate, seen: at + 1 }]
    })
  }

  async #different(
    kept: readonly KeptCandidate[],
    count: number,
    balance: number,
  ): Promise<readonly KeptCandidate[]> {
    const { set, options } = this.#parts
    const { width } = set.first.about
    const found = await embeddingsOfSet(set, kept, given({ signal: options.signal }))
    const rows = new Float32Array(kept.length * width)
    for (const [at, embedding] of found.entries()) rows.set(embedding ?? [], at * width)
    const similarities = kept.map(({ similarity }) => similarity)
    return diversePlaces(similarities, rows, width, count, balance).flatMap((place) => kept[place] ?? [])
  }

  async #ranked(chosen: readonly SetCandidate[]): Promise<readonly RankedPhoto[]> {
    const { set, query, options } = this.#parts
    const { signal, columns } = options
    const rows = await rowsOfSet(set, chosen, given({ signal, columns }))
    const sample = query.way === 'mean' ? await pairSampleOfSet(set, given({ signal })) : null
    return chosen.flatMap(({ similarity, member }, at) => {
      const row = rows[at]
      if (row === null || row === undefined) return []
      const named = set.members.length === 1 ? {} : given({ collection: set.members[member]?.name })
      return [{ similarity, share: sample?.shareBelow(similarity) ?? null, row, ...named }]
    })
  }
}

function keyOf({ id, member }: SetPlace): string {
  return `${member}/${id}`
}

/** Gives the place of each example that is a photo of the set. */
async function placesOf(
  set: CollectionSet,
  examples: readonly Example[],
  signal: AbortSignal | undefined,
): Promise<readonly (SetPlace | null)[]> {
  const found: (SetPlace | null)[] = []
  for (const example of examples)
    found.push(
      'id' in example ? await placeInSet(set, example.id, example.collection, given({ signal })) : null,
    )
  return found
}

async function vectorsOf(
  set: CollectionSet,
  examples: readonly Example[],
  places: readonly (SetPlace | null)[],
  signal: AbortSignal | undefined,
): Promise<readonly Float32Array[]> {
  const { store, about } = set.first
  const named = places.flatMap((place) => place ?? [])
  const known = (await embeddingsOfSet(set, named, given({ signal }))).values()
  return examples.map((example) => {
    if ('id' in example) {
      const found = known.next().value
      if (found === null || found === undefined) throw new Error(`the photo ${example.id} is gone meanwhile`)
      return found
    }
    const { embedding } = example
    if (embedding.length === about.width) return wideHalvesOf(unit(embedding))
    throw new RangeError(
      `The embeddings of ${store.label} have ${about.width} numbers; what is searched for has ${embedding.length}.`,
    )
  })
}

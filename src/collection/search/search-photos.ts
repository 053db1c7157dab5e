/**
 * Searches a collection by examples: photos, or embeddings that come from elsewhere. As many photos are found as were asked for, whenever so many are wanted at
 * all: whatever leaves some out (a condition, the examples themselves, copies), the search goes on behind them.
 */
import { checkOptionNames, type OptionNames } from '../../check-option-names.js'
import { given } from '../../encoder/choose-recipe.js'
import type { Box } from '../../image/image.js'
import { float16ToFloat32 } from '../../tensor/float16.js'
import type { Collection } from '../collection.js'
import { CollectionError } from '../collection-error.js'
import type { Embeddings, Row } from '../row-block.js'
import type { Condition } from '../where/condition.js'
import { type Candidate, type Candidates, inOrder, nearestOfAll, nearestOfSome } from './candidates.js'
import { type Cursor, cursorOf, cursorText, searchDigest } from './cursor.js'
import { diversePlaces } from './diverse.js'
import { pairSampleOf } from './pair-sample.js'
import { type QueryVector, type QueryWay, queryVector } from './query-vector.js'

/** Is what photos are to be like, or unlike. */
export type Example =
  | {
      /** Is that of a photo of the collection. */
      readonly id: string
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
  /** Is the share of random pairs of photos of this collection that are less alike; null where examples of what is not wanted turn the direction, and below two photos. */
  readonly share: number | null
  /** Is the photo's row. */
  readonly row: Row
  /** Is where in the photo it is, in the upright photo's own pixels, where a region was searched for. */
  readonly box?: Box
}

/** Is a part of the results. */
export interface SearchPage {
  /** Holds the photos, nearest first; of equal ones that with the smaller id. */
  readonly photos: readonly RankedPhoto[]
  /** Says where it ends, for `after`; null where there are no more. */
  readonly next: string | null
  /** Is the collection's version that was searched. */
  readonly version: number
  /** Tells that the page before was of another version, which is gone: photos may be missing between the two, or come twice. */
  readonly versionIsGone: boolean
  /** Says how one direction was made of all examples. */
  readonly way: QueryWay
}

const OPTIONS = {
  count: true,
  where: true,
  minSimilarity: true,
  indexed: true,
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
 * Finds a page of photos. Throws `CollectionError`: `not-found` for an id that no photo of the collection has or that has no embedding, `wrong-where`,
 * `wrong-cursor`, `no-direction`; RangeError for an embedding of another width, and for options that make no sense; the signal's reason.
 */
export async function searchPhotos(
  collection: Collection,
  query: SearchQuery,
  options: PhotoSearchOptions = {},
): Promise<SearchPage> {
  checkOptions(options)
  const search = await Search.prepare(collection, query, options)
  return await search.page()
}

/** Gives photo after photo, as long as there are any and somebody asks; `count` is that of a page. Throws as `searchPhotos`. */
export async function* everyPhoto(
  collection: Collection,
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
  const { count = 10, diverse, after, unlikeWeight = 0, minSimilarity = 0 } = options
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
  if (Number.isNaN(minSimilarity)) throw new RangeError('minSimilarity is a number from -1 to 1.')
}

/** Says which photos are asked for, by id and by content. */
interface OwnPhotos {
  readonly ids: ReadonlySet<string>
  readonly contents: ReadonlySet<string>
}

class Search {
  readonly #collection: Collection
  readonly #options: PhotoSearchOptions
  readonly #query: QueryVector
  readonly #where: Condition | null
  readonly #own: OwnPhotos
  readonly #version: number

  private constructor(
    collection: Collection,
    options: PhotoSearchOptions,
    parts: { query: QueryVector; where: Condition | null; own: OwnPhotos; version: number },
  ) {
    this.#collection = collection
    this.#options = options
    this.#query = parts.query
    this.#where = parts.where
    this.#own = parts.own
    this.#version = parts.version
  }

  static async prepare(
    collection: Collection,
    query: SearchQuery,
    options: PhotoSearchOptions,
  ): Promise<Search> {
    const { like, unlike = [] } = query
    if (like.length === 0) throw new RangeError('A search needs an example of what photos are to be like.')
    const where =
      typeof options.where === 'string' ? collection.where(options.where) : (options.where ?? null)
    const version = await collection.store.version()
    const examples = [...like, ...unlike]
    const vectors = await vectorsOf(collection, examples, options.signal)
    const ids = new Set(examples.flatMap((example) => ('id' in example ? [example.id] : [])))
    const contents = new Set(
      examples.flatMap((example) => ('content' in example ? [example.content ?? ''] : [])),
    )
    const direction = await queryVector(vectors.slice(0, like.length), vectors.slice(like.length), {
      unlikeWeight: options.unlikeWeight,
      signal: options.signal,
    })
    return new Search(collection, options, { query: direction, where, own: { ids, contents }, version })
  }

  async page(): Promise<SearchPage> {
    const { count = 10, diverse, after } = this.#options
    const { where = '', withSelf = false, unique = false, minSimilarity = -2 } = this.#options
    const digest = searchDigest(this.#query.vector, JSON.stringify([where, withSelf, unique, minSimilarity]))
    const cursor = after === undefined ? null : cursorOf(after, digest)
    const wanted = diverse === undefined ? count : Math.max(POOL.atLeast, POOL.times * count)
    const { kept, hasMore } = await this.#wanted(wanted, cursor)
    const chosen = diverse === undefined ? kept : await this.#different(kept, count, diverse)
    const last = kept.at(-1)
    const next =
      hasMore && diverse === undefined && last !== undefined
        ? cursorText({ ...last, version: this.#version, search: digest })
        : null
    return {
      photos: await this.#ranked(chosen),
      next,
      version: this.#version,
      versionIsGone: cursor !== null && cursor.version !== this.#version,
      way: this.#query.way,
    }
  }

  /** Gives the first photos that are wanted and lie behind the cursor, each with how many were looked at up to it. */
  async #wanted(
    count: number,
    cursor: Cursor | null,
  ): Promise<{
    readonly kept: readonly (Candidate & { readonly seen: number })[]
    readonly hasMore: boolean
  }> {
    const own = this.#own.ids.size + this.#own.contents.size
    for (let asked = (cursor?.seen ?? 0) + count + own + 1; ; asked *= 2) {
      const { best, isAll } = await this.#nearest(asked)
      const { minSimilarity = Number.NEGATIVE_INFINITY } = this.#options
      const near = best.filter(({ similarity }) => similarity >= minSimilarity)
      const fit = await this.#fitting(near)
      const behind = fit.filter(
        ({ similarity, id }) =>
          cursor === null ||
          similarity < cursor.similarity ||
          (similarity === cursor.similarity && id > cursor.id),
      )
      const isEnd = isAll || near.length < best.length
      if (behind.length > count || isEnd)
        return { kept: behind.slice(0, count), hasMore: behind.length > count }
    }
  }

  async #nearest(count: number): Promise<Candidates> {
    const { signal, onProgress, indexed = false } = this.#options
    const { vector } = this.#query
    const where = this.#where ?? undefined
    const byIndex = indexed
      ? await this.#collection.store.nearestByIndex(vector, count, { where, signal })
      : null
    if (byIndex !== null) return { best: byIndex.toSorted(inOrder), isAll: byIndex.length < count }
    const options = { signal, onLooked: (photos: number) => onProgress?.({ photos }) }
    if (where === undefined) return await nearestOfAll(this.#collection, vector, count, options)
    const embedded = this.#collection.where("state = 'embedded'")
    const both = { is: 'and', of: [embedded, where] } as const
    return await nearestOfSome(this.#collection, vector, count, both, options)
  }

  /** Leaves out what is gone, the examples themselves, and copies, as far as that is asked for. */
  async #fitting(near: readonly Candidate[]): Promise<readonly (Candidate & { readonly seen: number })[]> {
    const { withSelf = false, unique = false, signal } = this.#options
    const ids = near.map(({ id }) => id)
    const columns = ['id', 'state', 'content', 'pixels']
    // What the index has found may have been changed since.
    const choice = given({ where: this.#where ?? undefined, signal })
    const rows = await this.#collection.rows(ids, { columns, ...choice })
    const before = new Set<unknown>()
    return near.flatMap((candidate, at) => {
      const row = rows[at]
      if (row === null || row === undefined || row.state !== 'embedded') return []
      const { content, pixels } = row
      const isOwn = this.#own.ids.has(candidate.id) || this.#own.contents.has(String(content))
      if (isOwn && !withSelf) return []
      if (unique && (before.has(content) || before.has(pixels))) return []
      for (const known of [content, pixels]) if (known !== null) before.add(known)
      return [{ ...candidate, seen: at + 1 }]
    })
  }

  async #different<One extends Candidate>(
    kept: readonly One[],
    count: number,
    balance: number,
  ): Promise<readonly One[]> {
    const { width } = this.#collection.about
    const ids = kept.map(({ id }) => id)
    const found = await embeddingsOf(this.#collection, ids, this.#options.signal)
    const rows = new Float32Array(kept.length * width)
    for (const [at, id] of ids.entries()) rows.set(found.get(id) ?? [], at * width)
    const similarities = kept.map(({ similarity }) => similarity)
    return diversePlaces(similarities, rows, width, count, balance).flatMap((place) => kept[place] ?? [])
  }

  async #ranked(chosen: readonly Candidate[]): Promise<readonly RankedPhoto[]> {
    const { signal, columns } = this.#options
    const ids = chosen.map(({ id }) => id)
    const rows = await this.#collection.rows(ids, given({ signal, columns }))
    const isPlain = this.#query.way === 'mean'
    const sample = isPlain ? await pairSampleOf(this.#collection, this.#version, given({ signal })) : null
    return chosen.flatMap(({ similarity }, at) => {
      const row = rows[at]
      return row === null || row === undefined
        ? []
        : [{ similarity, share: sample?.shareBelow(similarity) ?? null, row }]
    })
  }
}

async function vectorsOf(
  collection: Collection,
  examples: readonly Example[],
  signal: AbortSignal | undefined,
): Promise<readonly Float32Array[]> {
  const { width } = collection.about
  const ids = examples.flatMap((example) => ('id' in example ? [example.id] : []))
  const known = await embeddingsOf(collection, ids, signal)
  return examples.map((example) => {
    if ('id' in example) {
      const found = known.get(example.id)
      if (found !== undefined) return found
      throw new CollectionError(
        'not-found',
        `${collection.store.label} has no photo ${example.id} with an embedding.`,
      )
    }
    const { embedding } = example
    if (embedding.length === width) return embedding
    throw new RangeError(
      `The embeddings of ${collection.store.label} have ${width} numbers; what is searched for has ${embedding.length}.`,
    )
  })
}

/** Reads the embeddings of photos that have one, by id, as float32. */
async function embeddingsOf(
  collection: Collection,
  ids: readonly string[],
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, Float32Array>> {
  const found = new Map<string, Float32Array>()
  if (ids.length === 0) return found
  const { width } = collection.about
  const wanted = [...new Set(ids)]
  for await (const block of collection.scan({
    columns: ['id', 'norm'],
    embeddings: true,
    ids: wanted,
    signal,
  })) {
    const { id: blockIds = [], norm = [] } = block.values
    if (block.embeddings === undefined) throw new Error('the embeddings that were asked for are missing')
    const values = widened(block.embeddings)
    for (const [at, id] of blockIds.entries())
      if (norm[at] !== null) found.set(String(id), values.subarray(at * width, (at + 1) * width))
  }
  return found
}

function widened(embeddings: Embeddings): Float32Array {
  if (embeddings instanceof Float32Array) return embeddings
  const values = new Float32Array(embeddings.length)
  float16ToFloat32(embeddings, values)
  return values
}

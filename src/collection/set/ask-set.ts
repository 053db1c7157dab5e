/** Asks the collections of a set: for what is nearest, for rows and embeddings, and for where their vectors lie. */

import { atOnce } from '../../at-once.js'
import { checkOptionNames, type OptionNames } from '../../check-option-names.js'
import { given } from '../../encoder/choose-recipe.js'
import type { ProductOptions } from '../../numerics/products.js'
import type { Collection } from '../collection.js'
import { CollectionError } from '../collection-error.js'
import { type Row, wideHalvesOf } from '../row-block.js'
import { type Candidates, inOrder, nearestOfAll, nearestOfSome } from '../search/candidates.js'
import type { ScanChoice, StoredVectors } from '../store.js'
import type { Condition } from '../where/condition.js'
import { AT_ONCE, type CollectionSet } from './collection-set.js'
import { mergeCandidates, type SetCandidates } from './merge-candidates.js'
import { byNearness, measureNearness, type NearFigures } from './nearness.js'
import { type VectorSummary, vectorSummaryOf } from './vector-summary.js'

/** So many vectors are held at once, as those of one collection: those that were asked the longest ago go. */
const MOST_HELD = 20_000_000

/** Counts the vectors that are held, by collection; the one that was asked last is the last. */
const heldBySet = new WeakMap<CollectionSet, Map<number, number>>()

/** Says how it is measured what near collections find. */
export interface MeasureNearOptions extends ProductOptions {
  /** Is told how many collections have been looked through, of how many. */
  readonly onProgress?: (collections: number, of: number) => void
}

const MEASURE = { signal: true, onProgress: true } satisfies OptionNames<MeasureNearOptions>

/** Says how the nearest are found. */
export interface SetNearestOptions {
  /** Says of each collection what its rows must be. */
  readonly where: readonly Condition[] | null
  /** Asks the index of each collection that has one. */
  readonly indexed: boolean
  /** Asks so many collections, those whose centroids are near, and further ones where these have too few. */
  readonly near: number | undefined
  /** Ends the search, which then rejects with the signal's reason. */
  readonly signal: AbortSignal | undefined
  /** Is told how many photos have been looked at. */
  readonly onLooked: (photos: number) => void
}

/** Names a photo of a set. */
export interface SetPlace {
  /** Is its id, which another collection may have as well. */
  readonly id: string
  /** Is the number of its collection. */
  readonly member: number
}

/** Finds the `count` nearest photos at least, or all there are, among the collections that are asked. Throws what the stores throw; the signal's reason. */
export async function nearestInSet(
  set: CollectionSet,
  query: Float32Array,
  count: number,
  { near, ...options }: SetNearestOptions,
): Promise<SetCandidates & { readonly asked: readonly number[] }> {
  const all = set.members.map((_, at) => at)
  const isPart = near !== undefined && near < all.length
  const order = isPart ? byNearness(await summariesOf(set, options), query) : all
  const lists: { readonly member: number; readonly candidates: Candidates }[] = []
  let looked = 0
  const onLooked = (before: number) => (photos: number) => options.onLooked(before + photos)
  for (let from = 0, to = isPart ? near : all.length; ; from = to, to = Math.min(all.length, 2 * to)) {
    const asked = order.slice(from, to)
    // An index waits for answers, exact search for memory: there one after the other is as fast.
    const found = await atOnce(asked, options.indexed ? AT_ONCE : 1, async (member) => {
      let photos = 0
      const candidates = await nearestIn(set, member, query, count, {
        ...options,
        onLooked: (own) => {
          photos = own
          onLooked(looked)(own)
        },
      })
      looked += photos
      return { member, candidates }
    })
    lists.push(...found)
    const merged = mergeCandidates(lists)
    if (to >= all.length) return { ...merged, asked: order }
    // Where those that are near have too few, others are not too far.
    if (!merged.isAll || merged.best.length >= count)
      return { ...merged, isAll: false, asked: order.slice(0, to) }
  }
}

async function nearestIn(
  set: CollectionSet,
  member: number,
  query: Float32Array,
  count: number,
  { where: wheres, indexed, signal, onLooked }: Omit<SetNearestOptions, 'near'>,
): Promise<Candidates> {
  const collection = set.at(member)
  const where = wheres?.[member]
  const byIndex = indexed ? await collection.store.nearestByIndex(query, count, { where, signal }) : null
  if (byIndex !== null) return { best: byIndex.toSorted(inOrder), isAll: byIndex.length < count }
  if (where !== undefined) {
    const embedded = collection.where("state = 'embedded'")
    const both = { is: 'and', of: [embedded, where] } as const
    return await nearestOfSome(collection, query, count, both, { signal, onLooked })
  }
  await vectorsOf(set, member, { signal })
  return await nearestOfAll(collection, query, count, { signal, onLooked })
}

/** Reads vectors of a collection, and lets go of others' where more are held than may be. */
async function vectorsOf(
  set: CollectionSet,
  member: number,
  options: ProductOptions,
): Promise<StoredVectors> {
  const found = await set.at(member).vectors(options)
  const held = heldBySet.get(set) ?? new Map<number, number>()
  heldBySet.set(set, held)
  held.delete(member)
  held.set(member, found.ids.length)
  let total = 0
  for (const rows of held.values()) total += rows
  for (const [other, rows] of held) {
    if (total <= MOST_HELD || other === member) break
    held.delete(other)
    total -= rows
    await set.at(other).forgetVectors()
  }
  return found
}

/** Says of each collection where its vectors lie. Throws what the stores throw; the signal's reason. */
export async function summariesOf(
  set: CollectionSet,
  { signal }: ProductOptions = {},
): Promise<readonly VectorSummary[]> {
  const all: VectorSummary[] = []
  for (const { collection } of set.members)
    all.push(await vectorSummaryOf(collection, await collection.store.version(), given({ signal })))
  return all
}

/**
 * Measures, on 200 photos of the set, which share of the ten nearest is found where one collection is asked, two, and so on, those with the nearest centroids first;
 * all vectors are looked through once for it. Throws what the stores throw; the signal's reason.
 */
export async function measureNear(
  set: CollectionSet,
  options: MeasureNearOptions = {},
): Promise<NearFigures> {
  checkOptionNames(options, MEASURE)
  const { signal, onProgress } = options
  const looking = given({ signal })
  const summaries = await summariesOf(set, looking)
  const { products: scorer, about } = set.first
  const near = await measureNearness(
    { summaries, width: about.width, scorer, vectorsOf: (member) => vectorsOf(set, member, looking) },
    { signal, onProgress },
  )
  set.measuredAs(near)
  return near
}

/** Says what of rows is read. */
export interface SetRowChoice extends Pick<Partial<ScanChoice>, 'columns' | 'signal'> {
  /** Says of each collection what its rows must be. */
  readonly where?: readonly Condition[] | undefined
}

/** Gives rows in the order of the places, null for one that is not there. Throws as `Collection.rows`. */
export async function rowsOfSet(
  set: CollectionSet,
  places: readonly SetPlace[],
  choice: SetRowChoice,
): Promise<readonly (Row | null)[]> {
  const { where: wheres, ...others } = choice
  const found: (Row | null)[] = places.map(() => null)
  for (const [member, own] of byMember(places)) {
    const ids = own.map(([, { id }]) => id)
    const rows = await set.at(member).rows(ids, { ...others, ...given({ where: wheres?.[member] }) })
    for (const [at, [place]] of own.entries()) found[place] = rows[at] ?? null
  }
  return found
}

/** Gives embeddings [D] in the order of the places, null for a photo that has none. Throws what the stores throw; the signal's reason. */
export async function embeddingsOfSet(
  set: CollectionSet,
  places: readonly SetPlace[],
  { signal }: ProductOptions = {},
): Promise<readonly (Float32Array | null)[]> {
  const found: (Float32Array | null)[] = places.map(() => null)
  for (const [member, own] of byMember(places)) {
    const ids = [...new Set(own.map(([, { id }]) => id))]
    const known = await embeddingsOf(set.at(member), ids, signal)
    for (const [place, { id }] of own) found[place] = known.get(id) ?? null
  }
  return found
}

/**
 * Finds the photo that an id names. Throws `CollectionError` `not-found` where no collection has it with an embedding, and `unknown-photo` where several have, which
 * tell them apart by the collection's name.
 */
export async function placeInSet(
  set: CollectionSet,
  id: string,
  name: string | undefined,
  options: ProductOptions = {},
): Promise<SetPlace> {
  const asked = name === undefined ? [...set.members.keys()] : [set.numberOf(name)]
  const columns = ['id', 'norm']
  const has = await atOnce(asked, AT_ONCE, async (member) => {
    const [row] = await set.at(member).rows([id], { columns, ...options })
    return row?.norm === null || row?.norm === undefined ? [] : [member]
  })
  const [member, ...others] = has.flat()
  if (member === undefined) {
    const label = name === undefined && set.members.length > 1 ? set.label : set.at(asked[0] ?? 0).store.label
    throw new CollectionError('not-found', `${label} has no photo ${id} with an embedding.`)
  }
  if (others.length === 0) return { id, member }
  const names = [member, ...others].map((at) => set.members[at]?.name)
  throw new CollectionError(
    'unknown-photo',
    `Several collections have a photo ${id}: ${names.join(', ')}. Say which, as ${names[0]}/${id}.`,
  )
}

type Own = readonly (readonly [place: number, named: SetPlace])[]

function byMember(places: readonly SetPlace[]): ReadonlyMap<number, Own> {
  const found = new Map<number, (readonly [number, SetPlace])[]>()
  for (const [at, place] of places.entries()) {
    const own = found.get(place.member)
    if (own === undefined) found.set(place.member, [[at, place]])
    else own.push([at, place])
  }
  return found
}

/** Reads the embeddings of photos that have one, by id, as they are looked through. */
async function embeddingsOf(
  collection: Collection,
  ids: readonly string[],
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, Float32Array>> {
  const found = new Map<string, Float32Array>()
  if (ids.length === 0) return found
  const { width } = collection.about
  for await (const block of collection.scan({ columns: ['id', 'norm'], embeddings: true, ids, signal })) {
    const { id: blockIds = [], norm = [] } = block.values
    if (block.embeddings === undefined) throw new Error('the embeddings that were asked for are missing')
    const values = wideHalvesOf(block.embeddings)
    for (const [at, id] of blockIds.entries())
      if (norm[at] !== null) found.set(String(id), values.subarray(at * width, (at + 1) * width))
  }
  return found
}

/**
 * Finds photos of a collection that are copies of each other, near or alike. Candidates come from perceptual hashes, in all eight ways in which a photo lies, and from embeddings; which
 * of them are the same picture is proven on their pixels, for which the platform reads photos.
 */
import { checkOptionNames, type OptionNames } from '../../check-option-names.js'
import { BUCKET_RADIUS, HashBuckets } from '../../numerics/hash-buckets.js'
import { turnedHashes } from '../../numerics/perceptual-hash.js'
import { proveSame, type ReducedPicture } from '../../numerics/same-picture.js'
import { similarPairs } from '../../numerics/similar-pairs.js'
import type { Collection } from '../collection.js'
import { photoVectors } from '../photo-vectors.js'
import { type Row, rowsOf } from '../row-block.js'
import { Different } from './decisions.js'
import { type Copy, type DuplicateGroup, type DuplicatePair, groupDuplicates } from './duplicate-group.js'
import { KEEP_RULES, type KeepRule } from './keep-rules.js'
import { provenPair } from './tell-proof.js'

/** Says which photos are duplicates. */
export interface DuplicateOptions {
  /** Says which copy is kept, by rules in their order; default `KEEP_RULES`. */
  readonly keep?: readonly KeepRule[]
  /** Is the cosine from which on photos that are no copies are near; default 0.95. What it means depends on the model. */
  readonly near?: number
  /** Is the cosine from which on they are alike; default 0.9. */
  readonly alike?: number
  /** Is the cosine from which on it is tried whether photos are the same picture; default 0.6. Pairs of like hashes are tried in any case. */
  readonly tryFrom?: number
  /** Bounds the pairs that are tried, the most alike first; default: four for each photo, and 1000 at least. */
  readonly mostTries?: number
  /** Is told how far the proofs are. */
  readonly onProgress?: (progress: DuplicateProgress) => void
  /** Ends the work, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal
}

/** Says how far the proofs are. */
export interface DuplicateProgress {
  /** Counts the pairs that were tried. */
  readonly tried: number
  /** Counts those that are to be tried. */
  readonly total: number
}

/** Holds what was found. */
export interface FoundDuplicates {
  /** Lists the groups, those of copies first. */
  readonly groups: readonly DuplicateGroup[]
  /** Counts the photos that were looked at. */
  readonly photos: number
  /** Counts the pairs that were tried on their pixels. */
  readonly tried: number
  /** Counts the pairs that `mostTries` left untried. */
  readonly untried: number
  /** Lists photos that could not be read again, with the reason; they are compared by hash and embedding alone. */
  readonly unread: readonly { readonly copy: Copy; readonly reason: string }[]
}

/** Reads a photo's upright pixels for comparing. */
export type ReadPicture = (copy: Copy, signal: AbortSignal | undefined) => Promise<ReducedPicture>

const OPTIONS = {
  keep: true,
  near: true,
  alike: true,
  tryFrom: true,
  mostTries: true,
  onProgress: true,
  signal: true,
} satisfies OptionNames<DuplicateOptions>

export const DUPLICATE_DEFAULTS = { near: 0.95, alike: 0.9, tryFrom: 0.6 } as const

/** Each photo is compared with so many by their embeddings. */
const PARTNERS = 16
const TRIES_A_PHOTO = 4
const FEWEST_TRIES = 1000
/** So many pictures are kept at a time, of about 2 MB each. */
const KEPT_PICTURES = 96

const COLUMNS = [
  'id',
  'root',
  'path',
  'file',
  'state',
  'content',
  'pixels',
  'bytes',
  'modified',
  'height',
  'width',
  'taken',
  'latitude',
  'longitude',
  'perceptual_hash',
]

/** Is a photo as it is compared. */
interface Candidate {
  readonly copy: Copy
  readonly hash: bigint | null
}

/**
 * Finds duplicates among the photos that are there. Names of one file (links) count as one photo. Throws RangeError for options that make no sense, what the collection throws; the
 * signal's reason.
 */
export async function findDuplicatesWith(
  collection: Collection,
  read: ReadPicture,
  options: DuplicateOptions = {},
): Promise<FoundDuplicates> {
  checkOptionNames(options, OPTIONS)
  const { keep = KEEP_RULES, signal } = options
  const { near, alike, tryFrom } = { ...DUPLICATE_DEFAULTS, ...options }
  for (const [name, value] of Object.entries({ near, alike, tryFrom }))
    if (!(value >= -1 && value <= 1)) throw new RangeError(`${name} is a cosine, -1 to 1: got ${value}.`)
  const candidates = await candidatesOf(collection, signal)
  const different = Different.read(await collection.store.log('decisions').read())
  const pictures = onePerPicture(candidates)
  const similarities = await similaritiesOf(collection, pictures, Math.min(near, alike, tryFrom), signal)
  const tries = triesOf(pictures, similarities, { tryFrom, different })
  const most = options.mostTries ?? Math.max(FEWEST_TRIES, TRIES_A_PHOTO * candidates.length)
  const chosen = tries.slice(0, most)
  const { pairs, unread } = await proven(pictures, chosen, read, options)
  const proof = new Set(pairs.map(({ first, second }) => `${first} ${second}`))
  for (const { first, second, similarity } of similarities.values())
    if (similarity >= alike && !proof.has(`${first} ${second}`))
      pairs.push({ first, second, similarity, kind: similarity >= near ? 'near' : 'alike' })
  // The pictures come first, so that the pairs number them there as well; then their other copies.
  const kept = new Set(pictures)
  const copies = [...pictures, ...candidates.filter((one) => !kept.has(one))].map(({ copy }) => copy)
  return {
    groups: groupDuplicates(copies, pairs, { rules: keep, different }),
    photos: candidates.length,
    tried: chosen.length,
    untried: tries.length - chosen.length,
    unread,
  }
}

/** Gives the photos that are embedded, each file once, in the order of their paths. */
async function candidatesOf(collection: Collection, signal: AbortSignal | undefined): Promise<readonly Candidate[]> {
  const rows: Row[] = []
  for await (const block of collection.scan({ columns: COLUMNS, ...(signal ? { signal } : {}) }))
    for (const row of rowsOf(block)) if (row.state === 'embedded') rows.push(row)
  rows.sort((a, b) => (placeOf(a) < placeOf(b) ? -1 : 1))
  const files = new Set<unknown>()
  return rows.flatMap((row) => {
    if (typeof row.file === 'string' && files.has(row.file)) return []
    files.add(row.file)
    const hash = typeof row.perceptual_hash === 'string' ? BigInt(`0x${row.perceptual_hash}`) : null
    return [{ copy: copyOf(row), hash }]
  })
}

function placeOf(row: Row): string {
  return `${row.root}/${row.path}`
}

/** Reads a copy from a row that has its columns. A photo whose pixels were not digested is a picture of its own. */
export function copyOf(row: Row): Copy {
  const number = (value: unknown) => (typeof value === 'number' ? value : null)
  return {
    id: String(row.id),
    root: String(row.root),
    path: String(row.path),
    content: String(row.content),
    pixels: String(row.pixels ?? `content ${row.content}`),
    bytes: number(row.bytes) ?? 0,
    modified: number(row.modified) ?? 0,
    height: number(row.height) ?? 0,
    width: number(row.width) ?? 0,
    taken: number(row.taken),
    latitude: number(row.latitude),
    longitude: number(row.longitude),
  }
}

/** Of files of the same pixels one is compared for all. */
function onePerPicture(candidates: readonly Candidate[]): readonly Candidate[] {
  const seen = new Set<string>()
  return candidates.filter(({ copy: { pixels } }) => !seen.has(pixels) && seen.add(pixels))
}

interface Try {
  readonly first: number
  readonly second: number
  readonly similarity: number
}

async function similaritiesOf(
  collection: Collection,
  pictures: readonly Candidate[],
  minSimilarity: number,
  signal: AbortSignal | undefined,
): Promise<Map<string, Try>> {
  const ids = pictures.map(({ copy }) => copy.id)
  const vectors = await photoVectors(collection, ids, signal)
  const { products, about } = collection
  const found = await similarPairs(vectors, about.width, { most: PARTNERS, minSimilarity, products, signal })
  return new Map(found.map((pair) => [`${pair.first} ${pair.second}`, pair]))
}

/** Lists the pairs to be tried on their pixels: those of like hashes, then the others, the most alike first. */
function triesOf(
  pictures: readonly Candidate[],
  similarities: ReadonlyMap<string, Try>,
  { tryFrom, different }: { readonly tryFrom: number; readonly different: Different },
): readonly Try[] {
  const known = pictures.flatMap(({ hash }, at) => (hash === null || hash === 0n ? [] : [{ hash, at }]))
  const buckets = new HashBuckets(known.map(({ hash }) => hash))
  const tries = new Map<string, Try>()
  for (const { hash, at } of known)
    for (const turned of turnedHashes(hash))
      for (const i of buckets.near(turned, BUCKET_RADIUS)) {
        const other = known[i]?.at ?? at
        const [first, second] = [Math.min(at, other), Math.max(at, other)]
        const key = `${first} ${second}`
        if (first !== second) tries.set(key, similarities.get(key) ?? { first, second, similarity: Number.NaN })
      }
  for (const [key, pair] of similarities)
    if (pair.similarity >= tryFrom && !tries.has(key)) tries.set(key, pair)
  const contentOf = (at: number) => pictures[at]?.copy.content ?? ''
  return [...tries.values()].filter(({ first, second }) => !different.has(contentOf(first), contentOf(second)))
}

/** Tries pairs one after the other, those of one photo together, so that each is seldom read twice. */
async function proven(
  pictures: readonly Candidate[],
  tries: readonly Try[],
  read: ReadPicture,
  { onProgress, signal }: DuplicateOptions,
): Promise<{ readonly pairs: DuplicatePair[]; readonly unread: FoundDuplicates['unread'] }> {
  const reader = new PictureReader(read, signal)
  const pairs: DuplicatePair[] = []
  const inOrder = [...tries].sort((a, b) => a.first - b.first || a.second - b.second)
  for (const [tried, { first, second, similarity }] of inOrder.entries()) {
    signal?.throwIfAborted()
    const [a, b] = [pictures[first], pictures[second]]
    if (a === undefined || b === undefined) throw new RangeError(`There is no photo ${first} or ${second}.`)
    const [one, other] = [await reader.read(a.copy), await reader.read(b.copy)]
    const proof = one === null || other === null ? null : proveSame(one, other)
    if (proof !== null) pairs.push(provenPair(first, second, similarity, proof))
    onProgress?.({ tried: tried + 1, total: tries.length })
  }
  return { pairs, unread: [...reader.unread.values()] }
}

/** Keeps the pictures that were used last. */
class PictureReader {
  readonly unread = new Map<string, { readonly copy: Copy; readonly reason: string }>()
  readonly #read: ReadPicture
  readonly #signal: AbortSignal | undefined
  readonly #kept = new Map<string, ReducedPicture>()

  constructor(read: ReadPicture, signal: AbortSignal | undefined) {
    this.#read = read
    this.#signal = signal
  }

  async read(copy: Copy): Promise<ReducedPicture | null> {
    if (this.unread.has(copy.id)) return null
    const known = this.#kept.get(copy.id)
    if (known !== undefined) {
      this.#kept.delete(copy.id)
      this.#kept.set(copy.id, known)
      return known
    }
    try {
      const picture = await this.#read(copy, this.#signal)
      this.#kept.set(copy.id, picture)
      const [oldest] = this.#kept.keys()
      if (this.#kept.size > KEPT_PICTURES && oldest !== undefined) this.#kept.delete(oldest)
      return picture
    } catch (error) {
      this.#signal?.throwIfAborted()
      this.unread.set(copy.id, { copy, reason: error instanceof Error ? error.message : String(error) })
      return null
    }
  }
}

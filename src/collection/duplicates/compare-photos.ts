/**
 * Compares photos: candidates come from perceptual hashes, in all eight ways in which a photo lies, and from embeddings; which of them are the same picture is proven on their
 * pixels, for which the platform reads photos.
 */
import { BUCKET_RADIUS, HashBuckets } from '../../numerics/hash-buckets.js'
import type { NearestGraph } from '../../numerics/nearest-graph.js'
import type { RowScorer } from '../../numerics/nearest-rows.js'
import { turnedHashes } from '../../numerics/perceptual-hash.js'
import type { Products } from '../../numerics/products.js'
import type { GreyPixels } from '../../numerics/reduce-pixels.js'
import {
  finerOf,
  judgeEnlarged,
  type PictureProof,
  proveSame,
  type ReducedPicture,
} from '../../numerics/same-picture.js'
import { float16ToFloat32 } from '../../tensor/float16.js'
import type { Collection } from '../collection.js'
import { neighboursOf, photoVectors } from '../photo-vectors.js'
import { type Row, rowsOf } from '../row-block.js'
import type { Copy } from './copy.js'
import type { Different } from './decisions.js'
import type { DuplicatePair } from './duplicate-group.js'
import { provenPair } from './tell-proof.js'

/** Reads photos' upright pixels for comparing. */
export interface ReadPicture {
  /** Reads it small. */
  small(photo: Photo, signal: AbortSignal | undefined): Promise<ReducedPicture>
  /** Reads its middle in its own pixels, which takes as long as reading all of it. */
  middle(photo: Photo, signal: AbortSignal | undefined): Promise<GreyPixels>
}

/** Is a photo as it is compared. */
export interface Photo {
  readonly copy: Copy
  readonly hash: bigint | null
  /** Has the value of the column that was asked for besides; null where there is none. */
  readonly split: string | null
  readonly collection: Collection
}

/** Holds photos of different pixels, and their embeddings. */
export interface ComparedPhotos {
  readonly photos: readonly Photo[]
  /** [N, D] halves, rows of length 1. */
  readonly vectors: Uint16Array
  readonly width: number
  readonly products: Products & RowScorer
}

export interface CompareOptions {
  readonly near: number
  readonly alike: number
  readonly tryFrom: number
  readonly mostTries: number
  readonly different: Different
  /** Tells which pairs count. */
  readonly counts?: (first: Photo, second: Photo) => boolean
  readonly read: ReadPicture
  readonly onProgress?: ((progress: { readonly tried: number; readonly total: number }) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

export interface ComparedPairs {
  /** Numbers the photos that were compared. */
  readonly pairs: readonly DuplicatePair[]
  readonly tried: number
  readonly untried: number
  /** Is the share of nearest neighbours that were found: 1 where all photos were compared with all. */
  readonly recall: number
  readonly unread: readonly { readonly copy: Copy; readonly reason: string }[]
}

/** Each photo is compared with so many by their embeddings. */
const PARTNERS = 16
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

/** Gives the photos that are embedded, each file once, in the order of their paths, with what they have in the column `split`. Names of one file (links) count once. */
export async function photosOf(
  collection: Collection,
  { split, signal }: { readonly split?: string | undefined; readonly signal?: AbortSignal | undefined } = {},
): Promise<readonly Photo[]> {
  const rows: Row[] = []
  const columns = split === undefined || COLUMNS.includes(split) ? COLUMNS : [...COLUMNS, split]
  for await (const block of collection.scan({ columns, ...(signal ? { signal } : {}) }))
    for (const row of rowsOf(block)) if (row.state === 'embedded') rows.push(row)
  rows.sort((a, b) => (placeOf(a) < placeOf(b) ? -1 : 1))
  const files = new Set<unknown>()
  return rows.flatMap((row) => {
    if (typeof row.file === 'string' && files.has(row.file)) return []
    files.add(row.file)
    const hash = typeof row.perceptual_hash === 'string' ? BigInt(`0x${row.perceptual_hash}`) : null
    const value = split === undefined ? null : row[split]
    return [
      {
        copy: copyOf(row),
        hash,
        split: value === null || value === undefined ? null : String(value),
        collection,
      },
    ]
  })
}

function placeOf(row: Row): string {
  return `${row.root}/${row.path}`
}

/** Reads a copy from a row that has its columns. A photo whose pixels were not digested is a picture of its own. */
function copyOf(row: Row): Copy {
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

/** Of files of the same pixels gives one, which is compared for all. */
export function onePerPicture(photos: readonly Photo[]): readonly Photo[] {
  const seen = new Set<string>()
  return photos.filter(({ copy: { pixels } }) => !seen.has(pixels) && seen.add(pixels))
}

/** Reads the embeddings of photos, which may be of several collections of one model. */
export async function withVectors(
  photos: readonly Photo[],
  signal: AbortSignal | undefined,
): Promise<ComparedPhotos | null> {
  const [first] = photos
  if (first === undefined) return null
  const { about, products } = first.collection
  const vectors = new Uint16Array(photos.length * about.width)
  for (const collection of new Set(photos.map((photo) => photo.collection))) {
    const places = photos.flatMap((photo, at) => (photo.collection === collection ? [at] : []))
    const ids = places.map((at) => photos[at]?.copy.id ?? '')
    const own = await photoVectors(collection, ids, signal)
    for (const [i, at] of places.entries())
      vectors.set(own.subarray(i * about.width, (i + 1) * about.width), at * about.width)
  }
  return { photos, vectors, width: about.width, products }
}

/** Gives the pairs that are proven to be the same picture, and those that are near or alike. */
export async function comparePhotos(
  { photos, vectors, width, products }: ComparedPhotos,
  options: CompareOptions,
): Promise<ComparedPairs> {
  const { near, alike, tryFrom, mostTries, different, counts = () => true, signal } = options
  const isWanted = ({ first, second }: SimilarPair) => {
    const [a, b] = pairOf(photos, first, second)
    return counts(a, b) && !different.has(a.copy.content, b.copy.content)
  }
  const keyOf = ({ first, second }: { readonly first: number; readonly second: number }) =>
    first * photos.length + second
  const graph = await neighboursOf(vectors, width, PARTNERS, { products, signal })
  const similar = pairsOf(graph, Math.min(near, alike, tryFrom)).filter(isWanted)
  const hashed = likeHashes(photos)
    .map((pair) => ({ ...pair, similarity: cosine(vectors, width, pair) }))
    .filter(isWanted)
    .sort(bySimilarity)
  const isHashed = new Set(hashed.map(keyOf))
  const others = similar.filter((pair) => pair.similarity >= tryFrom && !isHashed.has(keyOf(pair)))
  const tries = [...hashed, ...others]
  const chosen = tries.slice(0, mostTries)
  const { pairs, unread } = await proven(photos, chosen, options)
  const isProven = new Set(pairs.map(keyOf))
  const unproven = similar.flatMap((pair): DuplicatePair[] => {
    if (pair.similarity < Math.min(near, alike) || isProven.has(keyOf(pair))) return []
    return [{ ...pair, kind: pair.similarity >= near ? 'near' : 'alike' }]
  })
  const untried = tries.length - chosen.length
  return { pairs: [...pairs, ...unproven], tried: chosen.length, untried, recall: graph.recall, unread }
}

/** Is a pair of photos by their numbers, the lower one first. */
interface SimilarPair {
  readonly first: number
  readonly second: number
  /** Is the cosine of their embeddings. */
  readonly similarity: number
}

function bySimilarity(a: SimilarPair, b: SimilarPair): number {
  return b.similarity - a.similarity || a.first - b.first || a.second - b.second
}

/** Gives each pair of neighbours once, the most alike first. */
function pairsOf(
  { count, neighbours, similarities }: NearestGraph,
  minSimilarity: number,
): readonly SimilarPair[] {
  const found: SimilarPair[] = []
  for (const [at, other] of neighbours.entries()) {
    const [row, similarity = Number.NaN] = [Math.floor(at / count), similarities[at]]
    if (other < 0 || !(similarity >= minSimilarity)) continue
    // Of a pair that are neighbours of each other the lower one tells.
    const isTold = other < row && neighbours.subarray(other * count, (other + 1) * count).includes(row)
    if (!isTold) found.push({ first: Math.min(row, other), second: Math.max(row, other), similarity })
  }
  return found.sort(bySimilarity)
}

function cosine(
  vectors: Uint16Array,
  width: number,
  { first, second }: { readonly first: number; readonly second: number },
): number {
  const [a, b] = [new Float32Array(width), new Float32Array(width)]
  float16ToFloat32(vectors.subarray(first * width, (first + 1) * width), a)
  float16ToFloat32(vectors.subarray(second * width, (second + 1) * width), b)
  return a.reduce((sum, value, i) => sum + value * (b[i] ?? Number.NaN), 0)
}

/** Lists the pairs of which one photo has nearly the hash that the other has as it is, turned or mirrored. */
function likeHashes(
  photos: readonly Photo[],
): readonly { readonly first: number; readonly second: number }[] {
  const known = photos.flatMap(({ hash }, at) => (hash === null || hash === 0n ? [] : [{ hash, at }]))
  const buckets = new HashBuckets(known.map(({ hash }) => hash))
  return known.flatMap(({ hash, at }) => {
    // Being a mirror image goes both ways, so that the lower of the two sees them all.
    const others = turnedHashes(hash).flatMap((turned) => buckets.near(turned, BUCKET_RADIUS))
    return [...new Set(others)].flatMap((i) => {
      const second = known[i]?.at ?? at
      return second > at ? [{ first: at, second }] : []
    })
  })
}

/** Tries pairs one after the other, those of one photo together, so that each is seldom read twice. */
async function proven(
  pictures: readonly Photo[],
  tries: readonly SimilarPair[],
  { read, onProgress, signal }: CompareOptions,
): Promise<{ readonly pairs: DuplicatePair[]; readonly unread: ComparedPairs['unread'] }> {
  const reader = new PictureReader(read, signal)
  const pairs: DuplicatePair[] = []
  const inOrder = [...tries].sort((a, b) => a.first - b.first || a.second - b.second)
  for (const [tried, { first, second, similarity }] of inOrder.entries()) {
    signal?.throwIfAborted()
    const [a, b] = pairOf(pictures, first, second)
    const [one, other] = [await reader.read(a), await reader.read(b)]
    const proof = one === null || other === null ? null : await reader.judged(proveSame(one, other), a, b)
    if (proof !== null) pairs.push(provenPair(first, second, similarity, proof))
    onProgress?.({ tried: tried + 1, total: tries.length })
  }
  return { pairs, unread: [...reader.unread.values()] }
}

function pairOf(photos: readonly Photo[], first: number, second: number): readonly [Photo, Photo] {
  const [a, b] = [photos[first], photos[second]]
  if (a === undefined || b === undefined) throw new RangeError(`There is no photo ${first} or ${second}.`)
  return [a, b]
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

  async read(photo: Photo): Promise<ReducedPicture | null> {
    const { copy } = photo
    if (this.unread.has(copy.id)) return null
    const known = this.#kept.get(copy.id)
    if (known !== undefined) {
      this.#kept.delete(copy.id)
      this.#kept.set(copy.id, known)
      return known
    }
    try {
      const picture = await this.#read.small(photo, this.#signal)
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

  /** The finest details are read only where they decide. */
  async judged(proof: PictureProof | null, first: Photo, second: Photo): Promise<PictureProof | null> {
    const finer = proof === null ? null : finerOf(proof)
    if (proof === null || finer === null) return proof
    return judgeEnlarged(proof, await this.#read.middle(finer === 'first' ? first : second, this.#signal))
  }
}

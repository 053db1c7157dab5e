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
import { finerOf, judgeEnlarged, type PictureProof } from '../../numerics/same-picture.js'
import { float16ToFloat32 } from '../../tensor/float16.js'
import type { Collection } from '../collection.js'
import { neighboursOf, photoVectors } from '../photo-vectors.js'
import { type Row, rowsOf } from '../row-block.js'
import type { Beyond } from './beyond.js'
import { type Copy, unknownContent } from './copy.js'
import type { Different } from './decisions.js'
import type { DuplicatePair } from './duplicate-group.js'
import type { ProofLane, SmallPixels } from './proof-lane.js'
import { provenPair } from './tell-proof.js'
import { inReadingOrder } from './try-order.js'

/** Reads photos' upright pixels for comparing, and says on which threads. */
export interface ReadPicture {
  /** Reads it small. */
  small(photo: Photo, signal: AbortSignal | undefined): Promise<SmallPicture>
  /** Reads its middle (`middlesOf`), which takes as long as reading all of it. */
  middles(photo: Photo, signal: AbortSignal | undefined): Promise<readonly GreyPixels[]>
  /** Gives what so many pairs are proven by; it is disposed of when they are. */
  lanes(pairs: number): ProofLanes
}

/** Prove pairs side by side. */
export interface ProofLanes extends AsyncDisposable {
  readonly lanes: readonly ProofLane[]
}

/** Is a photo read small. */
export interface SmallPicture {
  readonly pixels: SmallPixels
  /** Says what its file holds that these pixels do not show. */
  readonly beyond: Beyond | null
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
/** So many pictures are kept at a time, of about 0.8 MB each, on all lanes together. */
const KEPT_PICTURES = 384
/** So many pairs, which follow each other, are proven on one lane: its pictures are likely those of the next ones. */
const TRIED_TOGETHER = 32

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
    // A list of a job may name a file several times.
    const file = row.file ?? placeOf(row)
    if (files.has(file)) return []
    files.add(file)
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

/** Reads a copy from a row that has its columns. A photo whose file or pixels were not digested, as those of a job, is like no other by them. */
function copyOf(row: Row): Copy {
  const number = (value: unknown) => (typeof value === 'number' ? value : null)
  const content = typeof row.content === 'string' ? row.content : unknownContent(String(row.id))
  return {
    id: String(row.id),
    root: String(row.root),
    path: String(row.path),
    content,
    pixels: String(row.pixels ?? `content ${content}`),
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

/** Tries pairs, on as many lanes as there are. The same pairs are proven whatever their number. */
async function proven(
  pictures: readonly Photo[],
  tries: readonly SimilarPair[],
  { read, onProgress, signal }: CompareOptions,
): Promise<{ readonly pairs: DuplicatePair[]; readonly unread: ComparedPairs['unread'] }> {
  const unread: Unread = new Map()
  const found: (DuplicatePair | null)[] = tries.map(() => null)
  const inOrder = [...inReadingOrder(tries).entries()]
  let tried = 0
  await using opened = read.lanes(tries.length)
  const { lanes } = opened
  const work = async (lane: ProofLane) => {
    const reader = new LaneReader(lane, read, unread, Math.floor(KEPT_PICTURES / lanes.length), signal)
    while (inOrder.length > 0)
      for (const [at, { first, second, similarity }] of inOrder.splice(0, TRIED_TOGETHER)) {
        signal?.throwIfAborted()
        const [a, b] = pairOf(pictures, first, second)
        const [one, other] = [await reader.read(a), await reader.read(b)]
        if (one !== undefined && other !== undefined) {
          const proof = await reader.judged(await lane.prove(a.copy.id, b.copy.id), a, b)
          const beyond = { first: one, second: other }
          if (proof !== null) found[at] = provenPair(first, second, similarity, proof, beyond)
        }
        onProgress?.({ tried: ++tried, total: tries.length })
      }
  }
  await Promise.all(lanes.map(work))
  return { pairs: found.filter((pair) => pair !== null), unread: [...unread.values()] }
}

function pairOf(photos: readonly Photo[], first: number, second: number): readonly [Photo, Photo] {
  const [a, b] = [photos[first], photos[second]]
  if (a === undefined || b === undefined) throw new RangeError(`There is no photo ${first} or ${second}.`)
  return [a, b]
}

type Unread = Map<string, { readonly copy: Copy; readonly reason: string }>

/** Gives a lane the pictures that it needs, and keeps those there that were used last. */
class LaneReader {
  readonly #lane: ProofLane
  readonly #read: ReadPicture
  readonly #unread: Unread
  readonly #most: number
  readonly #signal: AbortSignal | undefined
  /** Says of each picture that the lane has what its file holds besides. */
  readonly #there = new Map<string, Beyond | null>()

  constructor(
    lane: ProofLane,
    read: ReadPicture,
    unread: Unread,
    most: number,
    signal: AbortSignal | undefined,
  ) {
    this.#lane = lane
    this.#read = read
    this.#unread = unread
    this.#most = most
    this.#signal = signal
  }

  /** Brings the picture to the lane, and says what its file holds besides; undefined where it cannot be read. */
  async read(photo: Photo): Promise<Beyond | null | undefined> {
    const { copy } = photo
    if (this.#unread.has(copy.id)) return undefined
    const known = this.#there.get(copy.id)
    if (known !== undefined) {
      this.#there.delete(copy.id)
      this.#there.set(copy.id, known)
      return known
    }
    try {
      const { pixels, beyond } = await this.#read.small(photo, this.#signal)
      this.#lane.add(copy.id, pixels)
      this.#there.set(copy.id, beyond)
      const [oldest] = this.#there.keys()
      if (this.#there.size > this.#most && oldest !== undefined) {
        this.#there.delete(oldest)
        this.#lane.drop(oldest)
      }
      return beyond
    } catch (error) {
      this.#signal?.throwIfAborted()
      this.#unread.set(copy.id, { copy, reason: error instanceof Error ? error.message : String(error) })
      return undefined
    }
  }

  /** The finest details are read only where they decide. */
  async judged(proof: PictureProof | null, first: Photo, second: Photo): Promise<PictureProof | null> {
    const finer = proof === null ? null : finerOf(proof)
    if (proof === null || finer === null) return proof
    return judgeEnlarged(proof, await this.#read.middles(finer === 'first' ? first : second, this.#signal))
  }
}

/**
 * Says where the vectors of a collection lie, in a few hundred kilobytes whatever it holds: centroids of a sample of them, by which one tells whether a query is near,
 * and a smaller sample itself, by which one tells how alike random photos of several collections are. It lies beside the rows as `centroids.safetensors`, whole or not
 * at all, and says of which identity and of which version it is: one of another version is made anew.
 */
import { readRange } from '../../checkpoint/read-range.js'
import { headerLength, parseSafetensorsHeader } from '../../checkpoint/safetensors/parse-header.js'
import { given } from '../../encoder/choose-recipe.js'
import { safetensorsFile } from '../../formats/safetensors.js'
import { sphericalKMeans } from '../../numerics/k-means.js'
import type { ProductOptions } from '../../numerics/products.js'
import { drawRows, gatherRows } from '../../numerics/row-blocks.js'
import { seededRandom } from '../../numerics/seeded-random.js'
import { widenRows } from '../../numerics/stored-halves.js'
import { concatenateBytes } from '../../tensor/concatenate.js'
import { toHalf } from '../../tensor/float16.js'
import { toFloat32 } from '../../tensor/tensor.js'
import type { Collection } from '../collection.js'
import { KeptOfVersion } from '../kept-of-version.js'

/** Says where the vectors of a collection lie. */
export interface VectorSummary {
  /** Counts the photos that have an embedding. */
  readonly rows: number
  /** [K, D], each of length 1: the directions about which the photos of the sample lie. */
  readonly centroids: Float32Array
  /** [K] Are the shares of the sample that are nearest to each centroid. */
  readonly shares: Float32Array
  /** [K] Are the mean cosines of those with their centroid: how closely they lie about it. */
  readonly closeness: Float32Array
  /** [S, D] Are photos that were drawn, in the order in which the collection gives them; all of them where there are few. */
  readonly sample: Float32Array
}

const FILE = 'centroids.safetensors'
const FORMAT = 'plumage-centroids-1'
/** More centroids tell no more about which collection is near; fewer rows than so many for each say little about where a centroid lies. */
const MOST_CENTROIDS = 256
const ROWS_EACH = 64
const ROUNDS = 10
/** Two of so many are drawn 10,000 times, where pairs of photos are. */
const SAMPLED = 1024
const SEED = 1

/** Reads the summary of the collection as it is in this version, or makes it. Throws what the store throws; the signal's reason. */
export async function vectorSummaryOf(
  collection: Collection,
  version: number,
  options: ProductOptions = {},
): Promise<VectorSummary> {
  return await summaries.of(collection, version, () => made(collection, options))
}

/** Gives the summary of an earlier version to that of now, where the embeddings are the same. Throws what the store throws. */
export async function carryVectorSummary(collection: Collection, version: number): Promise<void> {
  await summaries.carry(collection, version)
}

async function made(collection: Collection, { signal }: ProductOptions): Promise<VectorSummary> {
  const { width } = collection.about
  const { ids, blocks } = await collection.vectors(given({ signal }))
  const none = new Float32Array()
  if (ids.length === 0) return { rows: 0, centroids: none, shares: none, closeness: none, sample: none }
  const random = seededRandom(SEED)
  const drawn = await widenRows(blocks, width, drawRows(ids.length, MOST_CENTROIDS * ROWS_EACH, random))
  const count = drawn.length / width
  const wanted = Math.min(MOST_CENTROIDS, Math.ceil(count / ROWS_EACH))
  const { products } = collection
  const {
    centres,
    labels,
    count: found,
  } = await sphericalKMeans([drawn], width, wanted, {
    products,
    signal,
    rounds: ROUNDS,
    seed: SEED,
  })
  const sample = gatherRows([drawn], width, drawRows(count, SAMPLED, random))
  return { rows: ids.length, centroids: centres, ...spreadOf(drawn, width, centres, labels, found), sample }
}

function spreadOf(
  rows: Float32Array,
  width: number,
  centres: Float32Array,
  labels: Int32Array,
  count: number,
): Pick<VectorSummary, 'shares' | 'closeness'> {
  const counts = new Float64Array(count)
  const cosines = new Float64Array(count)
  for (const [row, label] of labels.entries()) {
    let cosine = 0
    for (let i = 0; i < width; i++) cosine += (rows[row * width + i] ?? 0) * (centres[label * width + i] ?? 0)
    counts[label] = (counts[label] ?? 0) + 1
    cosines[label] = (cosines[label] ?? 0) + cosine
  }
  return {
    shares: Float32Array.from(counts, (own) => own / labels.length),
    closeness: Float32Array.from(cosines, (sum, label) => sum / (counts[label] ?? 1)),
  }
}

function bytesOf(summary: VectorSummary, version: number, { about }: Collection): Uint8Array {
  const { rows, centroids, shares, closeness, sample } = summary
  const { width, identity } = about
  const rowsOf = (values: Float32Array) => values.length / width
  const pieces = safetensorsFile(
    [
      { name: 'centroids', shape: [rowsOf(centroids), width], values: centroids },
      { name: 'shares', shape: [shares.length], values: shares },
      { name: 'closeness', shape: [closeness.length], values: closeness },
      // They were halves before, and are the very same again.
      { name: 'sample', shape: [rowsOf(sample), width], values: toHalf(sample) },
    ],
    { format: FORMAT, identity: identity.digest, version: String(version), rows: String(rows) },
  )
  return concatenateBytes(pieces)
}

/** One that is damaged, or of another version, identity or width, is none. */
async function summaryOrNull(
  bytes: Uint8Array,
  version: number,
  { about }: Collection,
): Promise<VectorSummary | null> {
  const { identity } = about
  const read = async (offset: number, length: number) => bytes.slice(offset, offset + length)
  const file = { label: FILE, size: bytes.length, read }
  try {
    const length = headerLength(file, await readRange(file, 0, 8, 'the length of the header', undefined))
    const header = await readRange(file, 8, length, 'the header', undefined)
    const { metadata, tensors } = parseSafetensorsHeader(file, header)
    const told = [metadata.format, metadata.identity, metadata.version].map(String)
    if (told.join() !== [FORMAT, identity.digest, version].join()) return null
    const tensor = async (name: string) => {
      const found = tensors.get(name)
      if (found === undefined) throw new Error(`there is no ${name}`)
      const { offset, byteLength, dtype, shape } = found
      return toFloat32({ bytes: await readRange(file, offset, byteLength, name, undefined), dtype, shape })
    }
    return {
      rows: Number(metadata.rows),
      centroids: await tensor('centroids'),
      shares: await tensor('shares'),
      closeness: await tensor('closeness'),
      sample: await tensor('sample'),
    }
  } catch {
    return null
  }
}

const summaries = new KeptOfVersion<VectorSummary>({ file: FILE, read: summaryOrNull, write: bytesOf })

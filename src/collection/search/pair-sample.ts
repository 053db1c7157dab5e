/**
 * Says how alike two photos of a collection are that have nothing to do with each other: a cosine of 0.6 means much in one collection and nothing in another. A
 * sample of random pairs is drawn, the same for each version of the collection, and kept with it.
 */
import { exactDot } from '../../numerics/exact-dot.js'
import type { ProductOptions } from '../../numerics/products.js'
import { seededRandom } from '../../numerics/seeded-random.js'
import { widenRows } from '../../numerics/stored-halves.js'
import { isRecord, parseJsonOrNull } from '../../plain-value.js'
import type { Collection } from '../collection.js'
import { KeptOfVersion } from '../kept-of-version.js'
import { summariesOf } from '../set/ask-set.js'
import type { CollectionSet } from '../set/collection-set.js'
import { placesOf } from '../set/nearness.js'
import type { VectorSummary } from '../set/vector-summary.js'
import type { StoredVectors } from '../store.js'

const FILE = 'pair-sample.json'
/** So many pairs tell shares to a few thousandths in the middle, and to ten-thousandths at the end where results lie. */
const PAIRS = 10_000
const SEED = 1

/** Tells which share of random pairs is less alike. */
export class PairSample {
  /** Holds cosines, smallest first. */
  readonly #cosines: Float32Array

  constructor(cosines: Float32Array) {
    this.#cosines = cosines
  }

  /** Gives the share, from 0 to 1, of pairs whose cosine is smaller; null where there are no pairs. */
  shareBelow(cosine: number): number | null {
    let [from, to] = [0, this.#cosines.length]
    if (to === 0) return null
    while (from < to) {
      const middle = (from + to) >> 1
      if ((this.#cosines[middle] ?? 0) < cosine) from = middle + 1
      else to = middle
    }
    return from / this.#cosines.length
  }
}

/** Reads the sample of the collection as it is now, or draws it. Throws what the store throws; the signal's reason. */
export async function pairSampleOf(
  collection: Collection,
  version: number,
  options: ProductOptions,
): Promise<PairSample> {
  const cosines = await kept.of(collection, version, async () =>
    drawn(await collection.vectors(options), collection.about.width),
  )
  return new PairSample(cosines)
}

const samplesOfSets = new WeakMap<CollectionSet, { readonly version: number; readonly sample: PairSample }>()

/**
 * Gives the sample of a set as it is now: that of its one collection, or one of all rows of several, drawn among those that each keeps with its summary. Throws what the
 * stores throw; the signal's reason.
 */
export async function pairSampleOfSet(set: CollectionSet, options: ProductOptions): Promise<PairSample> {
  const version = await set.version()
  if (set.members.length === 1) return await pairSampleOf(set.first, version, options)
  const known = samplesOfSets.get(set)
  if (known?.version === version) return known.sample
  const sample = new PairSample(drawnAmong(await summariesOf(set, options), set.first.about.width))
  samplesOfSets.set(set, { version, sample })
  return sample
}

/** Gives the sample of an earlier version to that of now, where the embeddings are the same. Throws what the store throws. */
export async function carryPairSample(collection: Collection, version: number): Promise<void> {
  await kept.carry(collection, version)
}

function bytesOf(cosines: Float32Array, version: number): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ version, seed: SEED, cosines: Array.from(cosines) }))
}

function sampleOrNull(bytes: Uint8Array, version: number): Float32Array | null {
  const found = parseJsonOrNull(new TextDecoder().decode(bytes))
  if (!isRecord(found) || found.version !== version || found.seed !== SEED) return null
  return Array.isArray(found.cosines) ? Float32Array.from(found.cosines, Number) : null
}

const kept = new KeptOfVersion<Float32Array>({ file: FILE, read: sampleOrNull, write: bytesOf })

async function drawn({ ids, blocks }: StoredVectors, width: number): Promise<Float32Array> {
  const count = ids.length
  if (count < 2) return new Float32Array()
  const pairs = (count * (count - 1)) / 2 <= PAIRS ? allPairs(count) : randomPairs(count)
  const rows = [...new Set(pairs.flat())].sort((a, b) => a - b)
  const values = await widenRows(blocks, width, rows)
  const places = new Map(rows.map((row, place) => [row, place * width]))
  const cosines = pairs.map(([a, b]) =>
    exactDot(values, places.get(a) ?? 0, values, places.get(b) ?? 0, width),
  )
  return Float32Array.from(cosines).sort()
}

/** Draws pairs of all rows, and takes for each row the one of its collection's sample that stands where it does: itself, where the sample has all. */
function drawnAmong(summaries: readonly VectorSummary[], width: number): Float32Array {
  const count = summaries.reduce((sum, { rows }) => sum + rows, 0)
  if (count < 2) return new Float32Array()
  const pairs = (count * (count - 1)) / 2 <= PAIRS ? allPairs(count) : randomPairs(count)
  const placeOf = (row: number) => {
    const [{ member, row: own } = { member: 0, row: 0 }] = placesOf([row], summaries)
    const { rows = 1, sample = new Float32Array() } = summaries[member] ?? {}
    const sampled = sample.length / width
    return { sample, member, at: Math.floor((own * sampled) / rows), sampled }
  }
  const cosines = pairs.map(([first, second]) => {
    const [a, b] = [placeOf(first), placeOf(second)]
    // Two rows may stand for one: the next one is as random.
    const at = a.member === b.member && a.at === b.at ? (b.at + 1) % b.sampled : b.at
    return exactDot(a.sample, a.at * width, b.sample, at * width, width)
  })
  return Float32Array.from(cosines).sort()
}

function allPairs(count: number): readonly (readonly [number, number])[] {
  return Array.from({ length: count }, (_, a) => a).flatMap((a) =>
    Array.from({ length: a }, (_, b) => [a, b] as const),
  )
}

function randomPairs(count: number): readonly (readonly [number, number])[] {
  const random = seededRandom(SEED)
  return Array.from({ length: PAIRS }, () => {
    const a = Math.floor(random() * count)
    const b = Math.floor(random() * (count - 1))
    return [a, b < a ? b : b + 1] as const
  })
}

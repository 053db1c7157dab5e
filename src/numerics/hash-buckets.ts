/**
 * Finds hashes that differ in few bits without comparing all with all: each hash lies in four buckets, one for each 16 of its bits. Of two that differ in at most 7 bits, one of
 * the four parts differs in at most one, so that looking into each bucket and those one bit away misses none (Norouzi, Punjani and Fleet 2012, "Fast
 * Search in Hamming Space with Multi-Index Hashing").
 */
import { onesOf } from './perceptual-hash.js'

/** Is the largest distance that is found whole. */
export const BUCKET_RADIUS = 7

const PARTS = 4
const PART_BITS = 16
const BUCKETS = 2 ** PART_BITS

/** Holds hashes by their number, 0 to N - 1. */
export class HashBuckets {
  readonly #words: Uint32Array
  /** For each part, the hashes of bucket b are `members` from `starts[b]` to `starts[b + 1]`. */
  readonly #parts: readonly { readonly starts: Uint32Array; readonly members: Uint32Array }[]

  constructor(hashes: readonly bigint[]) {
    this.#words = new Uint32Array(hashes.length * 2)
    for (const [i, hash] of hashes.entries()) {
      this.#words[2 * i] = Number(hash & 0xffffffffn)
      this.#words[2 * i + 1] = Number(hash >> 32n)
    }
    this.#parts = Array.from({ length: PARTS }, (_, part) => bucketsOf(this.#words, part))
  }

  /** Gives the numbers of all hashes at most `radius` (0 to 7) bits from `hash`, each once, in ascending order. */
  near(hash: bigint, radius: number): readonly number[] {
    if (!(radius >= 0 && radius <= BUCKET_RADIUS))
      throw new RangeError(`Hashes are found up to ${BUCKET_RADIUS} bits away: got ${radius}.`)
    const words = Uint32Array.of(Number(hash & 0xffffffffn), Number(hash >> 32n))
    const found = new Set<number>()
    for (const [part, { starts, members }] of this.#parts.entries()) {
      const own = partOf(words, 0, part)
      for (let flip = -1; flip < PART_BITS; flip++) {
        const bucket = flip < 0 ? own : own ^ (1 << flip)
        for (let at = starts[bucket]; at < starts[bucket + 1]; at++) {
          const i = members[at]
          const distance = onesOf(words[0] ^ this.#words[2 * i]) + onesOf(words[1] ^ this.#words[2 * i + 1])
          if (distance <= radius) found.add(i)
        }
      }
    }
    return [...found].sort((a, b) => a - b)
  }
}

function partOf(words: Uint32Array, hash: number, part: number): number {
  return (words[2 * hash + (part >> 1)] >>> (PART_BITS * (part & 1))) & (BUCKETS - 1)
}

function bucketsOf(words: Uint32Array, part: number) {
  const count = words.length / 2
  const starts = new Uint32Array(BUCKETS + 1)
  for (let i = 0; i < count; i++) starts[partOf(words, i, part) + 1]++
  for (let bucket = 0; bucket < BUCKETS; bucket++) starts[bucket + 1] += starts[bucket]
  const next = starts.slice()
  const members = new Uint32Array(count)
  for (let i = 0; i < count; i++) members[next[partOf(words, i, part)]++] = i
  return { starts, members }
}

/**
 * Splits the inputs of a run among machines that know nothing of each other: each takes those whose names fall to it. The name is that of a row in the output,
 * so that the file alone tells whose a row is; the frames of a film go where the film goes, which is decoded once.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { RowSum } from './row-sum.js'
import { filmOfNameOrNull, type WorkInput } from './work-input.js'

/** Is one of `of` shards, numbered from 0. */
export interface Shard {
  readonly index: number
  readonly of: number
}

/** Counts names, and sums them up: two sets of names of one count and one sum are the same set. */
export interface Names {
  readonly count: number
  /** Is the sum modulo 2^128 of the first 128 bits of each name's SHA-256, as 32 hexadecimal digits. */
  readonly sum: string
}

/** More shards than this are a mistake: each would have its own process. */
const MOST_SHARDS = 1_000_000

/** Reads `3/16`. Throws RangeError with what is wrong. */
export function parseShard(text: string): Shard {
  const [, first, second] = /^(\d{1,9})\/(\d{1,9})$/.exec(text) ?? []
  if (first === undefined || second === undefined)
    throw new RangeError(`Expected a shard and how many there are, such as 3/16; found ${text}.`)
  const [index, of] = [Number(first), Number(second)]
  if (of < 1 || of > MOST_SHARDS)
    throw new RangeError(`Expected 1 to ${MOST_SHARDS} shards; found ${of} in ${text}.`)
  if (index < of) return { index, of }
  const meant = index === of ? ` Counted from 1, this would be ${index - 1}/${of}.` : ''
  throw new RangeError(
    `There is no shard ${text}: they are numbered from 0, so that the last one is ${of - 1}/${of}.${meant}`,
  )
}

export function shardText({ index, of }: Shard): string {
  return `${index}/${of}`
}

/** Is the SHA-256 of a name, as far as it is used. */
export interface NameHash {
  /** Is the first 48 bits: two names may share them. */
  readonly short: number
  readonly bytes: Uint8Array
}

const ENCODER = new TextEncoder()

export function hashName(name: string): NameHash {
  const bytes = sha256(ENCODER.encode(name))
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  return { short: view.getUint32(0) * 2 ** 16 + view.getUint16(4), bytes }
}

/** Gives the name that decides whose a row is: its own, or for a frame its film's. */
export function sharedName(name: string): string {
  return filmOfNameOrNull(name) ?? name
}

/**
 * Gives the shard that a shared name falls to: the first 48 bits of its SHA-256 modulo the number of shards. So shard i of n splits exactly into i and i + n
 * of 2 n.
 */
export function shardOf({ short }: NameHash, of: number): number {
  return short % of
}

/** Sums up names, in any order. */
export class NamesSum implements Names {
  readonly #sum = new RowSum()
  #count = 0

  add({ bytes }: NameHash): void {
    this.#sum.add(bytes)
    this.#count++
  }

  addAll({ count, sum }: Names): void {
    this.#sum.addSum(sum)
    this.#count += count
  }

  get count(): number {
    return this.#count
  }

  get sum(): string {
    return this.#sum.toString()
  }
}

/** Picks a shard of the inputs, and counts all of them: by that count it is proven later that all shards were of the same inputs. */
export class ShardPick {
  readonly shard: Shard
  readonly #all = new NamesSum()
  #hasFilms = false

  constructor(shard: Shard) {
    this.shard = shard
  }

  /** Counts an input, and tells whether it falls to this shard. */
  takes(input: WorkInput): boolean {
    const hash = hashName(sharedName(typeof input === 'string' ? input : input.path))
    this.#all.add(hash)
    return shardOf(hash, this.shard.of) === this.shard.index
  }

  /** Notes that a film is among the inputs, of whatever shard: it is part of what all of them make. */
  noteFilm(): void {
    this.#hasFilms = true
  }

  get hasFilms(): boolean {
    return this.#hasFilms
  }

  /** Sums up the inputs so far, of this shard and all others. */
  get source(): Names {
    const { count, sum } = this.#all
    return { count, sum }
  }
}

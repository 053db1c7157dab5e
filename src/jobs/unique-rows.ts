/** Tells which hashes have come before, in a table of 128 bits each. */
import { JobError } from './job-error.js'

/** So many hashes are kept at most: the table then takes 512 MiB, and 768 while it grows to that. */
const MOST_UNIQUE = 25_000_000
const FIRST_SLOTS = 2 ** 16
/** A fuller table is slow. */
const FULL = 0.8

export class UniqueRows {
  #table = new Uint32Array(4 * FIRST_SLOTS)
  #count = 0
  readonly #most: number

  constructor(most = MOST_UNIQUE) {
    this.#most = most
  }

  /** Says whether a hash is new, and keeps it. Throws `JobError` `too-many`. */
  add(hash: Uint8Array): boolean {
    const view = new DataView(hash.buffer, hash.byteOffset, 16)
    // A slot of zeros is empty: no hash may look so.
    const words = [view.getUint32(0), view.getUint32(4), view.getUint32(8), view.getUint32(12) || 1] as const
    if (!this.#put(words)) return false
    if (++this.#count > this.#most)
      throw new JobError(
        'too-many',
        `The source has more than ${this.#most} different rows, more than are remembered (512 MiB). Leave --unique out, or split the source.`,
      )
    if (this.#count > (FULL * this.#table.length) / 4) this.#grow()
    return true
  }

  #put([a, b, c, d]: readonly [number, number, number, number]): boolean {
    const table = this.#table
    const slots = table.length / 4
    for (let slot = a % slots; ; slot = (slot + 1) % slots) {
      const at = 4 * slot
      if (table[at + 3] === 0) {
        table[at] = a
        table[at + 1] = b
        table[at + 2] = c
        table[at + 3] = d
        return true
      }
      if (table[at] === a && table[at + 1] === b && table[at + 2] === c && table[at + 3] === d) return false
    }
  }

  #grow(): void {
    const old = this.#table
    this.#table = new Uint32Array(2 * old.length)
    for (let at = 0; at < old.length; at += 4) {
      const [a, b, c, d] = [old[at] ?? 0, old[at + 1] ?? 0, old[at + 2] ?? 0, old[at + 3] ?? 0]
      if (d !== 0) this.#put([a, b, c, d])
    }
  }
}

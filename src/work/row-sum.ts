/**
 * Sums up which rows there are: each row's id is hashed, and the first 128 bits of the hashes are added modulo 2^128. Two lists have one sum where they hold the same
 * rows as often, in whatever order, so that a proof of millions of rows is one addition for each and remembers nothing.
 */

const LIMB = 2 ** 32
/** So many additions of 32 bits a double holds exactly, and more. */
const MOST_PENDING = 2 ** 20

export class RowSum {
  /** Are 32 bits each, the last ones first, and what has not been carried yet. */
  #limbs: [number, number, number, number] = [0, 0, 0, 0]
  #pending = 0

  /** Adds a row by the hash of its id. */
  add(hash: Uint8Array): void {
    const limbs = this.#limbs
    limbs[0] += wordAt(hash, 12)
    limbs[1] += wordAt(hash, 8)
    limbs[2] += wordAt(hash, 4)
    limbs[3] += wordAt(hash, 0)
    if (++this.#pending === MOST_PENDING) this.#carry()
  }

  /** Adds the sum of other rows, as `toString` gives it. */
  addSum(digits: string): void {
    for (const at of [0, 1, 2, 3] as const)
      this.#limbs[at] += Number.parseInt(digits.slice(24 - 8 * at, 32 - 8 * at), 16)
    if (++this.#pending === MOST_PENDING) this.#carry()
  }

  /** Gives 32 hexadecimal digits. */
  toString(): string {
    this.#carry()
    return [...this.#limbs]
      .reverse()
      .map((limb) => limb.toString(16).padStart(8, '0'))
      .join('')
  }

  #carry(): void {
    let carried = 0
    for (const at of [0, 1, 2, 3] as const) {
      const value = this.#limbs[at] + carried
      this.#limbs[at] = value % LIMB
      carried = Math.floor(value / LIMB)
    }
    this.#pending = 0
  }
}

/** A view of the bytes would cost as much as all the rest. */
function wordAt(bytes: Uint8Array, at: number): number {
  const [a = 0, b = 0, c = 0, d = 0] = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]
  return ((a << 24) | (b << 16) | (c << 8) | d) >>> 0
}

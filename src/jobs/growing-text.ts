/** Gathers a long text as UTF-8: what has been added soon lies outside the heap, where no collection of garbage has to copy it. */

/** So many letters are turned into bytes together: one by one they would cost more, and many are moved around by the collection of garbage. */
const MOST_LETTERS = 2 ** 14
const FIRST_BYTES = 2 ** 20

export class GrowingText {
  readonly #encoder = new TextEncoder()
  #bytes = new Uint8Array(FIRST_BYTES)
  #used = 0
  #waiting = ''

  add(text: string): void {
    this.#waiting += text
    if (this.#waiting.length >= MOST_LETTERS) this.#encode()
  }

  /** Counts the bytes of all that was added. */
  get length(): number {
    this.#encode()
    return this.#used
  }

  /** Gives all that was added, and begins anew. */
  take(): Uint8Array {
    this.#encode()
    const taken = this.#bytes.subarray(0, this.#used)
    // The next text is likely to be as long as this one.
    this.#bytes = new Uint8Array(this.#bytes.length)
    this.#used = 0
    return taken
  }

  #encode(): void {
    // A letter of UTF-16 has three bytes at most.
    const most = this.#used + 3 * this.#waiting.length
    if (most > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(most, 2 * this.#bytes.length))
      grown.set(this.#bytes.subarray(0, this.#used))
      this.#bytes = grown
    }
    this.#used += this.#encoder.encodeInto(this.#waiting, this.#bytes.subarray(this.#used)).written
    this.#waiting = ''
  }
}

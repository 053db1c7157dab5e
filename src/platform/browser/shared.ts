/** What several users have together: made for the first of them, given back with the last. */

export class Shared<T extends Partial<Disposable> & { readonly isLost?: boolean }> {
  readonly #entries = new Map<string, { readonly made: Promise<T>; uses: number }>()

  /** `release` is called once by each user. What could not be made, or is lost, is made anew for the next one. */
  async take(key: string, make: () => Promise<T>): Promise<{ readonly value: T; release(): void }> {
    const known = this.#entries.get(key)
    const isLost = known !== undefined && (await known.made.catch(() => null))?.isLost === true
    // Of several that find it lost, the first one makes another.
    if (isLost && this.#entries.get(key) === known) this.#entries.delete(key)
    const entry = this.#entries.get(key) ?? { made: make(), uses: 0 }
    this.#entries.set(key, entry)
    entry.uses++
    const release = () => {
      if (--entry.uses > 0) return
      if (this.#entries.get(key) === entry) this.#entries.delete(key)
      entry.made.then(
        (value) => value[Symbol.dispose]?.(),
        () => {}, // It was never made.
      )
    }
    try {
      return { value: await entry.made, release }
    } catch (error) {
      release()
      throw error
    }
  }
}

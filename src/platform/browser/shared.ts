/** Lets several users have something together: it is made for the first of them and given back with the last. */

export class Shared<T extends AsyncDisposable & { readonly isLost?: boolean }> {
  readonly #entries = new Map<string, { readonly made: Promise<T>; uses: number }>()

  /**
   * Hands out what is there, or what `make` makes. What could not be made, or is lost, is made anew for the next user.
   *
   * `release` says that this user needs it no longer, however often it is called; for the last one it resolves when all has been given back.
   */
  async take(key: string, make: () => Promise<T>): Promise<{ readonly value: T; release(): Promise<void> }> {
    const known = this.#entries.get(key)
    const isLost = known !== undefined && (await known.made.catch(() => null))?.isLost === true
    // Of several that find it lost, the first one makes another.
    if (isLost && this.#entries.get(key) === known) this.#entries.delete(key)
    const entry = this.#entries.get(key) ?? { made: make(), uses: 0 }
    this.#entries.set(key, entry)
    entry.uses++
    let released: Promise<void> | undefined
    const release = () => {
      released ??= this.#release(key, entry)
      return released
    }
    try {
      return { value: await entry.made, release }
    } catch (error) {
      await release()
      throw error
    }
  }

  async #release(key: string, entry: { readonly made: Promise<T>; uses: number }): Promise<void> {
    if (--entry.uses > 0) return
    if (this.#entries.get(key) === entry) this.#entries.delete(key)
    // What was never made has nothing to give back.
    const value = await entry.made.catch(() => null)
    await value?.[Symbol.asyncDispose]()
  }
}

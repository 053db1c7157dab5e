/**
 * Keeps what is made of all embeddings of a collection, and takes long: in memory, and in a small file beside the rows, for the version that it was made of. One of another version is
 * made anew.
 */
import type { Collection } from './collection.js'

/** Says what is kept, and in which file. */
export interface KeptForm<Kept> {
  /** Names the small file. */
  readonly file: string
  /** Gives null for bytes that are damaged, or of another version. */
  read(bytes: Uint8Array, version: number, collection: Collection): Kept | null | Promise<Kept | null>
  write(kept: Kept, version: number, collection: Collection): Uint8Array
}

export class KeptOfVersion<Kept> {
  readonly #form: KeptForm<Kept>
  readonly #known = new WeakMap<Collection, { readonly version: number; readonly kept: Kept }>()

  constructor(form: KeptForm<Kept>) {
    this.#form = form
  }

  /** Gives what is kept of this version, or makes it. Throws what the store and `make` throw. */
  async of(collection: Collection, version: number, make: () => Promise<Kept>): Promise<Kept> {
    const known = this.#known.get(collection)
    if (known?.version === version) return known.kept
    const found = await this.#storedOrNull(collection, version)
    const kept = found ?? (await make())
    // It saves time the next time, no more: where it cannot be kept, as on a disk that is only read, all goes on.
    if (found === null) await this.#store(collection, version, kept).catch(() => {})
    this.#known.set(collection, { version, kept })
    return kept
  }

  /** Gives what is kept of an earlier version to that of now, where the embeddings are the same. Throws what the store throws. */
  async carry(collection: Collection, version: number): Promise<void> {
    const found = await this.#storedOrNull(collection, version)
    if (found !== null) await this.#store(collection, await collection.store.version(), found)
  }

  async #storedOrNull(collection: Collection, version: number): Promise<Kept | null> {
    const bytes = await collection.store.readFile(this.#form.file)
    return bytes === null ? null : await this.#form.read(bytes, version, collection)
  }

  async #store(collection: Collection, version: number, kept: Kept): Promise<void> {
    await collection.store.writeFile(this.#form.file, this.#form.write(kept, version, collection))
  }
}

/** Finds the place that keeps what an address names. Behind its bucket an address is the key as it is: nothing in it is escaped. */
import type { Storage } from '../../storage/storage.js'

/** Is an object, or a prefix of objects, in its place. */
export interface StorageAt {
  readonly storage: Storage
  /** Is the address that the place's keys stand behind. */
  readonly base: string
  readonly key: string
}

/** Gives null where none of the places has it; of several the one with the longest address. */
export function storageAt(storages: ReadonlyMap<string, Storage>, address: string): StorageAt | null {
  let best: StorageAt | null = null
  for (const [name, storage] of storages) {
    const base = name.endsWith('/') ? name.slice(0, -1) : name
    const isIn = address === base || address.startsWith(`${base}/`)
    if (isIn && (best === null || base.length > best.base.length))
      best = { storage, base, key: address.slice(base.length + 1) }
  }
  return best
}

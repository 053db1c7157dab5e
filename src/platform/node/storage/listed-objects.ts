/**
 * Lists what lies below an address once, and answers from that for whoever walks through folders: a bucket has none, so that each would be listed with all below it, and each object
 * be asked for its size and time.
 */
import type { FolderEntry, FoundFile } from '../../../work/files.js'
import { openBucketOf } from './object-address.js'

type Found = Pick<FoundFile, 'size' | 'mtimeMs'>

/** Knows of each object below an address its name, size and time: some hundred bytes. */
export class ListedObjects {
  /** Is the address, without a slash at its end. */
  readonly address: string
  readonly #files = new Map<string, Map<string, Found>>()
  readonly #folders = new Map<string, Set<string>>()

  private constructor(address: string) {
    this.address = address
  }

  /** Throws `StorageError`; the signal's reason. */
  static async of(address: string, signal: AbortSignal | undefined): Promise<ListedObjects> {
    const listed = new ListedObjects(address.replace(/([^/])\/+$/, '$1'))
    const { storage, key } = await openBucketOf(listed.address)
    const prefix = key === '' ? '' : `${key}/`
    for await (const object of storage.list({ prefix, signal }))
      listed.#add(`${storage.label}/${object.key}`, { size: object.size, mtimeMs: object.modifiedMs })
    return listed
  }

  /** Tells whether an address lies below this one, or is the same. */
  has(address: string): boolean {
    return address === this.address || address.startsWith(`${this.address}/`)
  }

  /** Gives null where there is neither an object nor any below it. */
  look(address: string): FoundFile | null {
    if (this.#files.has(address) || this.#folders.has(address))
      return { kind: 'folder', size: 0, mtimeMs: 0, id: address }
    const at = address.lastIndexOf('/')
    const found = this.#files.get(address.slice(0, at))?.get(address.slice(at + 1))
    return found === undefined ? null : { kind: 'file', ...found, id: address }
  }

  list(folder: string): readonly FolderEntry[] {
    const files = [...(this.#files.get(folder)?.keys() ?? [])].map((name) => ({
      name,
      kind: 'file' as const,
    }))
    const folders = [...(this.#folders.get(folder) ?? [])].map((name) => ({ name, kind: 'folder' as const }))
    return [...folders, ...files]
  }

  #add(address: string, found: Found): void {
    const [folder, name] = partsOf(address)
    const files = this.#files.get(folder)
    if (files !== undefined) {
      files.set(name, found)
      return
    }
    this.#files.set(folder, new Map([[name, found]]))
    for (let below = folder; below !== this.address; ) {
      const [around, own] = partsOf(below)
      const folders = this.#folders.get(around) ?? new Set<string>()
      this.#folders.set(around, folders.add(own))
      below = around
    }
  }
}

function partsOf(address: string): readonly [folder: string, name: string] {
  const at = address.lastIndexOf('/')
  return [address.slice(0, at), address.slice(at + 1)]
}

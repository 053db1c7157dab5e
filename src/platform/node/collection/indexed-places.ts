/** Looks through folders of this machine and prefixes of buckets for the photos of a collection, as through one disk. What lies in a bucket is known by one listing. */

import { StorageError } from '../../../storage/storage-error.js'
import type { FolderEntry, FoundFile, OpenedFile } from '../../../work/files.js'
import { NodeFiles } from '../files/node-files.js'
import { ListedObjects } from '../storage/listed-objects.js'
import { namedPlace, shownName } from '../storage/named-place.js'
import { OBJECT } from '../storage/object-path.js'

/** What is not called a photo is not looked into: each look is a request. */
const UNREAD: OpenedFile = { size: 0, read: async () => 0, [Symbol.asyncDispose]: async () => {} }

export class IndexedPlaces extends NodeFiles {
  readonly #listed: ListedObjects[] = []

  /** Gives the place as it is known from now on. Throws `StorageError` for what cannot be looked through. */
  async add(place: string, signal: AbortSignal | undefined): Promise<string> {
    const named = namedPlace(place)
    if (named.kind === 'path') return super.resolve(named.path)
    if (named.kind === 'web')
      throw new StorageError(
        'refused',
        `${shownName(named.address)} cannot be looked through: a web server does not tell what it has. Name a folder, or a prefix as s3://bucket/photos.`,
      )
    const listed = await ListedObjects.of(named.address, signal)
    this.#listed.push(listed)
    return listed.address
  }

  override resolve(path: string): string {
    return OBJECT.test(path) ? path : super.resolve(path)
  }

  override async look(path: string): Promise<FoundFile | null> {
    const { listed, address } = this.#of(path)
    return listed === undefined ? await super.look(path) : listed.look(address)
  }

  override async list(folder: string): Promise<FolderEntry[]> {
    const { listed, address } = this.#of(folder)
    return listed === undefined ? await super.list(folder) : [...listed.list(address)]
  }

  override async open(path: string): Promise<OpenedFile> {
    return this.#of(path).listed === undefined ? await super.open(path) : UNREAD
  }

  /** Where paths have backslashes, what is put together here has them too. */
  #of(path: string): { readonly listed: ListedObjects | undefined; readonly address: string } {
    const address = OBJECT.test(path) ? path.replaceAll(this.separator, '/') : path
    return { listed: this.#listed.find((one) => one.has(address)), address }
  }
}

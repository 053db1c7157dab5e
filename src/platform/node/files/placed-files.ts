/**
 * Sends each path to where it lies: an address in a bucket there, one of a web server to that server, all else to the disk. What reaches buckets and servers is loaded with
 * the first of them.
 */
import { StorageError } from '../../../storage/storage-error.js'
import type {
  FolderEntry,
  FoundFile,
  GrowingFile,
  LockOptions,
  OpenedFile,
  OutputLock,
} from '../../../work/files.js'
import { type NamedPlace, namedPlace, readOnlyWeb, shownName } from '../storage/named-place.js'
import type { ObjectFiles } from '../storage/object-files.js'
import { isFileOfThatName, OBJECT } from '../storage/object-path.js'
import type { WebFiles } from '../storage/web-files.js'
import { FileError } from './file-error.js'
import { NodeFiles } from './node-files.js'

type Chunks = Parameters<NodeFiles['write']>[1]
/** Are what all kinds of places can do, each in its way. */
type Reader = Pick<NodeFiles, 'look' | 'readText' | 'open'>
type Writer = Pick<NodeFiles, 'write' | 'append' | 'rename' | 'remove' | 'lock'>

let objects: Promise<ObjectFiles> | undefined
let webs: Promise<WebFiles> | undefined

function objectFiles(): Promise<ObjectFiles> {
  objects ??= import('../storage/object-files.js').then(({ ObjectFiles }) => new ObjectFiles())
  return objects
}

function webFiles(): Promise<WebFiles> {
  webs ??= import('../storage/web-files.js').then(({ WebFiles }) => new WebFiles())
  return webs
}

export class PlacedFiles extends NodeFiles {
  /** An address stays one, but for that of a file on this machine. Throws `StorageError` for a kind of address that is not opened. */
  override resolve(path: string): string {
    const place = this.#placeOf(path)
    return place.kind === 'path' ? super.resolve(place.path) : place.address
  }

  override async look(path: string): Promise<FoundFile | null> {
    const { files, at } = await this.#reader(path)
    return files === null ? await super.look(at) : await files.look(at)
  }

  override async readText(path: string): Promise<string | null> {
    const { files, at } = await this.#reader(path)
    return files === null ? await super.readText(at) : await files.readText(at)
  }

  override async open(path: string): Promise<OpenedFile> {
    const { files, at } = await this.#reader(path)
    return files === null ? await super.open(at) : await files.open(at)
  }

  override async list(folder: string): Promise<FolderEntry[]> {
    const place = this.#placeOf(folder)
    if (place.kind === 'path') return await super.list(place.path)
    if (place.kind === 'object') return await (await objectFiles()).list(place.address)
    throw new StorageError(
      'refused',
      `${shownName(place.address)} cannot be listed: a web server does not tell what it has. Name its files one by one.`,
    )
  }

  override async write(path: string, chunks: Chunks): Promise<void> {
    const { files, at } = await this.#writer(path)
    await (files === null ? super.write(at, chunks) : files.write(at, chunks))
  }

  override async append(path: string): Promise<GrowingFile> {
    const { files, at } = await this.#writer(path)
    return files === null ? await super.append(at) : await files.append(at)
  }

  override async rename(from: string, to: string): Promise<void> {
    const { files, at } = await this.#writer(from)
    await (files === null ? super.rename(at, to) : files.rename(at, to))
  }

  override async remove(path: string): Promise<void> {
    const { files, at } = await this.#writer(path)
    await (files === null ? super.remove(at) : files.remove(at))
  }

  /** A bucket has no folders: keys begin as they like. */
  override async makeFolder(folder: string, path = folder): Promise<void> {
    if (OBJECT.test(folder) || OBJECT.test(path)) return
    const { at } = await this.#writer(folder)
    await super.makeFolder(at, path)
  }

  override async lock(path: string, options: LockOptions = {}): Promise<OutputLock> {
    const { files, at } = await this.#writer(path)
    return files === null ? await super.lock(at, options) : await files.lock(at, options)
  }

  /** Gives who reads a place; null for the disk. */
  async #reader(path: string): Promise<{ readonly files: Reader | null; readonly at: string }> {
    const place = this.#placeOf(path)
    if (place.kind === 'path') return { files: null, at: place.path }
    return { files: await (place.kind === 'object' ? objectFiles() : webFiles()), at: place.address }
  }

  /** Gives who writes a place; null for the disk. Throws `FileError` `not-writable` for a web server. */
  async #writer(path: string): Promise<{ readonly files: Writer | null; readonly at: string }> {
    const place = this.#placeOf(path)
    if (place.kind === 'path') return { files: null, at: place.path }
    if (place.kind === 'object') return { files: await objectFiles(), at: place.address }
    throw new FileError('not-writable', readOnlyWeb(place.address))
  }

  #placeOf(path: string): NamedPlace {
    const isLikeAddress = /^[a-z][a-z0-9+.-]+:/i.test(path)
    if (isLikeAddress && isFileOfThatName(path, super.resolve(path))) return { kind: 'path', path }
    return namedPlace(path)
  }
}

/**
 * Offers buckets as far as work that goes on after a kill needs files. Folders are what the keys of objects begin with; what is added to a file is gathered and written when it must be safe;
 * a rename copies and removes, one object after the other in the order of their names.
 */
import type { Chunks } from '../../../formats/chunk.js'
import { StorageError } from '../../../storage/storage-error.js'
import type {
  FolderEntry,
  FoundFile,
  GrowingFile,
  LockOptions,
  OpenedFile,
  OutputLock,
} from '../../../work/files.js'
import { openBucketOf } from './object-address.js'
import { takeProcessLease } from './process-lease.js'

/** Small reads are served from a block of so many bytes. */
const BLOCK = 2 ** 20

export class ObjectFiles {
  async look(path: string): Promise<FoundFile | null> {
    const { storage, key } = await openBucketOf(path)
    const found = key === '' ? null : await storage.look(key)
    if (found !== null) return { kind: 'file', size: found.size, mtimeMs: found.modifiedMs, id: path }
    for await (const _ of storage.list({ prefix: folderOf(key) }))
      return { kind: 'folder', size: 0, mtimeMs: 0, id: path }
    return null
  }

  async list(folder: string): Promise<FolderEntry[]> {
    const { storage, key } = await openBucketOf(folder)
    const prefix = folderOf(key)
    const found = new Map<string, FolderEntry>()
    for await (const object of storage.list({ prefix })) {
      const [name = '', ...below] = object.key.slice(prefix.length).split('/')
      found.set(name, { name, kind: below.length === 0 ? 'file' : 'folder' })
    }
    return [...found.values()]
  }

  async readText(path: string): Promise<string | null> {
    const { storage, key } = await openBucketOf(path)
    const found = await storage.read(key)
    return found === null ? null : Buffer.from(found.bytes).toString('utf8')
  }

  async open(path: string): Promise<OpenedFile> {
    const { storage, key } = await openBucketOf(path)
    const found = await storage.look(key)
    if (found === null)
      throw new StorageError('refused', `${path} cannot be opened: there is no such object.`)
    const { size, version } = found
    let block = { start: 0, bytes: new Uint8Array(0) }
    const readBlock = async (start: number, length: number) => {
      const read = await storage.read(key, { offset: start, length, version })
      if (read === null)
        throw new StorageError('changed', `${path} was removed while it was read. Run again.`)
      block = { start, bytes: new Uint8Array(read.bytes) }
    }
    return {
      size,
      async read(into, offset) {
        const length = Math.max(0, Math.min(into.length, size - offset))
        if (length === 0) return 0
        const isThere = offset >= block.start && offset + length <= block.start + block.bytes.length
        if (!isThere) await readBlock(offset, Math.max(length, BLOCK))
        into.set(block.bytes.subarray(offset - block.start, offset - block.start + length))
        return length
      },
      [Symbol.asyncDispose]: async () => {},
    }
  }

  async write(path: string, chunks: Chunks): Promise<void> {
    const { storage, key } = await openBucketOf(path)
    let isTaken = false
    await storage.write(key, () => {
      // Chunks come once: an upload that its server has lost cannot be sent again, and is never taken for an empty one.
      if (isTaken)
        throw new StorageError(
          'unavailable',
          `${path} was lost by its server while it was written. Run again.`,
        )
      isTaken = true
      return chunks
    })
  }

  /** What was written before a kill, and not made safe, is lost with it; where nothing is written, nothing is made. */
  async append(path: string): Promise<GrowingFile> {
    const { storage, key } = await openBucketOf(path)
    const before = await storage.read(key)
    const pieces: (string | Uint8Array)[] = before === null ? [] : [before.bytes]
    let isSafe = true
    const sync = async () => {
      if (!isSafe) await storage.write(key, () => pieces)
      isSafe = true
    }
    return {
      async write(text) {
        pieces.push(text)
        isSafe = false
      },
      sync,
      [Symbol.asyncDispose]: sync,
    }
  }

  async rename(from: string, to: string): Promise<void> {
    const { storage, key } = await openBucketOf(from)
    const target = await openBucketOf(to)
    const names = await this.#namesOf(from)
    for (const name of names) {
      const found = await storage.read(key + name)
      if (found !== null) await target.storage.write(target.key + name, found.bytes)
    }
    for (const name of names) await storage.remove(key + name)
  }

  async remove(path: string): Promise<void> {
    const { storage, key } = await openBucketOf(path)
    for (const name of await this.#namesOf(path)) await storage.remove(key + name)
  }

  async lock(path: string, options: LockOptions = {}): Promise<OutputLock> {
    const { storage, key } = await openBucketOf(path)
    // Nothing may be left beside an output.
    return await takeProcessLease(storage, `${key}.lock`, {
      label: `${storage.label}/${key}`,
      instead: 'another output',
      leavesNothing: true,
      ...options,
    })
  }

  /** Gives what follows the path in the keys of what it names: '' for an object, and for all below a folder. */
  async #namesOf(path: string): Promise<readonly string[]> {
    const { storage, key } = await openBucketOf(path)
    const names: string[] = (await storage.look(key)) === null ? [] : ['']
    for await (const object of storage.list({ prefix: folderOf(key) }))
      names.push(object.key.slice(key.length))
    return names
  }
}

function folderOf(key: string): string {
  return key === '' || key.endsWith('/') ? key : `${key}/`
}

/** Reads single files of web servers by their addresses, for what takes a path: a vector, a table, colours. Nothing is written there, and nothing listed. */
import type { Storage } from '../../../storage/storage.js'
import { StorageError } from '../../../storage/storage-error.js'
import type { FoundFile, OpenedFile } from '../../../work/files.js'
import { shownName } from './named-place.js'
import { openWebFolderOf } from './object-address.js'

export class WebFiles {
  async look(address: string): Promise<FoundFile | null> {
    await using place = await placeOf(address)
    const found = await place.storage.look(place.key)
    if (found === null) return null
    return { kind: 'file', size: found.size, mtimeMs: found.modifiedMs || 0, id: shownName(address) }
  }

  async readText(address: string): Promise<string | null> {
    const bytes = await readWhole(address)
    return bytes === null ? null : Buffer.from(bytes).toString('utf8')
  }

  /** What is opened in this way is small: it is read at once. */
  async open(address: string): Promise<OpenedFile> {
    const bytes = await readWhole(address)
    if (bytes === null)
      throw new StorageError(
        'refused',
        `${shownName(address)} cannot be opened: the server has no such file.`,
      )
    return {
      size: bytes.length,
      async read(into, offset) {
        const part = bytes.subarray(offset, offset + into.length)
        into.set(part)
        return part.length
      },
      [Symbol.asyncDispose]: async () => {},
    }
  }
}

async function readWhole(address: string): Promise<Uint8Array | null> {
  await using place = await placeOf(address)
  return (await place.storage.read(place.key))?.bytes ?? null
}

async function placeOf(
  address: string,
): Promise<{ readonly storage: Storage; readonly key: string } & AsyncDisposable> {
  const place = await openWebFolderOf(address)
  return { ...place, [Symbol.asyncDispose]: () => place.storage[Symbol.asyncDispose]() }
}

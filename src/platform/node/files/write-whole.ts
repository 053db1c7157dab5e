/**
 * Writes files that appear whole or not at all: they are written beside, flushed to the disk, then renamed over the old one. A link stays one:
 * the file that it leads to is replaced. Whatever is no file is never replaced.
 */
import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { explainWriteError } from './file-error.js'
import { replaceableFile } from './output-target.js'

/** Small writes are gathered: a line of text must not cost a system call. */
const BUFFER_BYTES = 2 ** 20

/** Text is written as UTF-8; bytes may be reused once the next chunk is asked for. */
type Chunks = Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>

/**
 * Writes a file that takes the name `path` once all chunks are there and on the disk, with the rights of the file that it replaces. If anything
 * fails, the old file stays. Two writers of one path must keep each other out: they share the temporary name, so that a killed one leaves
 * nothing behind for good.
 * Throws `FileError` `disk-full`, `not-writable` or `name-too-long`.
 */
export async function writeWhole(path: string, chunks: Chunks): Promise<void> {
  const target = await replaceableFile(path)
  const temporary = temporaryOf(target.path)
  try {
    const handle = await openAnew(temporary)
    try {
      if (target.mode !== null) await handle.chmod(target.mode)
      const file = new BufferedFile(handle)
      for await (const chunk of chunks) await file.write(chunk)
      await file.flush()
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(temporary, target.path)
    await syncFolder(dirname(target.path))
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {})
    throw explainWriteError(error, path)
  }
}

/** Names what a file is written to before it takes its name: a kill may leave it. */
export function temporaryOf(path: string): string {
  return `${path}.tmp`
}

/** What lies there is removed and not written into: it may be a link to anywhere. */
async function openAnew(temporary: string): Promise<FileHandle> {
  await rm(temporary, { force: true })
  return await open(temporary, 'wx')
}

class BufferedFile {
  readonly #handle: FileHandle
  readonly #buffer = Buffer.allocUnsafe(BUFFER_BYTES)
  #used = 0

  constructor(handle: FileHandle) {
    this.#handle = handle
  }

  async write(chunk: string | Uint8Array): Promise<void> {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk, 'utf8') : chunk
    if (this.#used + bytes.byteLength > BUFFER_BYTES) await this.flush()
    if (bytes.byteLength > BUFFER_BYTES) {
      await this.#handle.writeFile(bytes)
      return
    }
    this.#buffer.set(bytes, this.#used)
    this.#used += bytes.byteLength
  }

  async flush(): Promise<void> {
    if (this.#used > 0) await this.#handle.writeFile(this.#buffer.subarray(0, this.#used))
    this.#used = 0
  }
}

/** Without this a power cut may lose the new name. Some systems cannot open folders; then the rename alone must do. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r').catch(() => null)
  if (folder === null) return
  try {
    await folder.sync()
  } catch {
    // The same systems may open a folder and refuse this.
  } finally {
    await folder.close()
  }
}

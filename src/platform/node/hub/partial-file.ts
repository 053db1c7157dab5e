/**
 * A download on its way: `<destination>.partial`, the running sha256 of what it holds, and `<destination>.partial.json`
 * that says which version of which address it is a piece of. It stays after a cut and becomes the destination when whole.
 */
import { createHash, type Hash } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, open, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Version } from '../../../hub/byte-ranges.js'
import { fileTrouble } from './file-trouble.js'
import { hashHandle } from './hash-file.js'

export class PartialFile implements AsyncDisposable {
  readonly destination: string
  readonly path: string
  /** Bytes held, all of them hashed. */
  received = 0
  /** Whether all bytes came in one answer. If not, they could be of different versions. */
  inOnePiece = true
  /** Of which version the bytes are; null when there are none. */
  version: Version | null = null
  readonly #url: string
  readonly #file: FileHandle
  #hash: Hash = createHash('sha256')

  private constructor(destination: string, url: string, file: FileHandle) {
    this.destination = destination
    this.path = `${destination}.partial`
    this.#url = url
    this.#file = file
  }

  /** Takes up what an earlier run left of the same address; anything else there is thrown away. */
  static async open(
    destination: string,
    url: string,
    options: { readonly signal?: AbortSignal; readonly onBytes?: (read: number) => void } = {},
  ): Promise<PartialFile> {
    const path = `${destination}.partial`
    const file = await open(path, constants.O_RDWR | constants.O_CREAT, 0o644).catch((error) => {
      throw fileTrouble(error, path)
    })
    const partial = new PartialFile(destination, url, file)
    try {
      partial.version = await readNote(`${path}.json`, url)
      if (partial.version === null) await partial.restart()
      else partial.received = await hashHandle(file, partial.#hash, options)
      partial.inOnePiece = partial.received === 0
      return partial
    } catch (error) {
      await file.close()
      throw error
    }
  }

  /** Begins a fresh answer at byte 0 and notes its version, so that a later run can ask for the rest of the same one. */
  async begin(version: Version): Promise<void> {
    await this.restart()
    this.version = version
    const note = JSON.stringify({ url: this.#url, etag: version.etag, lastModified: version.lastModified })
    await this.#write(() => writeFile(`${this.path}.json`, note))
  }

  async append(bytes: Uint8Array): Promise<void> {
    let written = 0
    while (written < bytes.length) {
      const { bytesWritten } = await this.#write(() =>
        this.#file.write(bytes, written, bytes.length - written, this.received + written),
      )
      written += bytesWritten
    }
    this.#hash.update(bytes)
    this.received += bytes.length
  }

  /** Forgets all bytes. */
  async restart(): Promise<void> {
    await this.#file.truncate(0)
    this.#hash = createHash('sha256')
    this.received = 0
    this.inOnePiece = true
    this.version = null
  }

  sha256(): string {
    return this.#hash.copy().digest('hex')
  }

  /** On the disk first, then under its name: whoever sees the destination sees all of it. */
  async finish(): Promise<void> {
    await this.#write(() => this.#file.sync())
    await this.#file.close()
    await this.#write(() => rename(this.path, this.destination))
    await rm(`${this.path}.json`, { force: true })
    await syncFolder(dirname(this.destination))
  }

  /** Forgets all bytes and the files that held them. */
  async discard(): Promise<void> {
    await this.restart()
    await this[Symbol.asyncDispose]()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#file.fd < 0) return // Finished or discarded.
    await this.#file.close()
    if (this.received > 0) return
    await rm(this.path, { force: true })
    await rm(`${this.path}.json`, { force: true })
  }

  async #write<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      throw fileTrouble(error, this.path)
    }
  }
}

async function readNote(path: string, url: string): Promise<Version | null> {
  try {
    const note: unknown = JSON.parse(await readFile(path, 'utf8'))
    if (typeof note !== 'object' || note === null || !('url' in note) || note.url !== url) return null
    return { etag: textOf(note, 'etag'), lastModified: textOf(note, 'lastModified') }
  } catch {
    return null // No note, or half of one: nothing is known about the bytes, so they are not used.
  }
}

function textOf(note: object, key: string): string | null {
  const value: unknown = Reflect.get(note, key)
  return typeof value === 'string' ? value : null
}

/** Makes the new name itself survive a power cut; Windows has no such call and needs none. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r').catch(() => null)
  await folder?.sync().catch(() => {})
  await folder?.close()
}

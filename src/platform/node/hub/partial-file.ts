/**
 * Keeps a download on its way: `<destination>.partial` (or what else its place calls it), the running sha256 of what it holds, and
 * `<destination>.partial.json` that says which version of which address it is a piece of. It stays after a
 * cut and becomes the destination when whole.
 */
import { createHash, type Hash } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, open, readFile, rename, rm, statfs, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Version } from '../../../hub/byte-ranges.js'
import { HubError } from '../../../hub/hub-error.js'
import type { PartialDownload } from '../../../hub/partial-download.js'
import { isRecord, type PlainValue, parseJsonOrNull } from '../../../plain-value.js'
import { fileTrouble } from './file-trouble.js'
import { hashHandle } from './hash-file.js'

export interface PartialOptions {
  /** Follows the destination in the name of what is not whole; default: `.partial`. */
  readonly suffix?: string
  /** Looks at the whole file before it gets its name. What it throws is thrown on, and nothing is kept. */
  readonly check?: (path: string) => Promise<void>
  /** Gives the whole file what other names it has, and the path to hand out; default: its destination. */
  readonly name?: () => Promise<string>
}

export class PartialFile implements PartialDownload<string> {
  received = 0
  version: Version | null = null
  readonly #destination: string
  readonly #path: string
  readonly #url: string
  readonly #file: FileHandle
  readonly #options: PartialOptions
  #hash: Hash = createHash('sha256')

  private constructor(
    path: string,
    destination: string,
    url: string,
    file: FileHandle,
    options: PartialOptions,
  ) {
    this.#destination = destination
    this.#path = path
    this.#url = url
    this.#file = file
    this.#options = options
  }

  /** Opens what an earlier run left of the same address; anything else there is thrown away. */
  static async open(destination: string, url: string, options: PartialOptions = {}): Promise<PartialFile> {
    const path = `${destination}${options.suffix ?? '.partial'}`
    const file = await open(path, constants.O_RDWR | constants.O_CREAT, 0o644).catch((error) => {
      throw fileTrouble(error, path)
    })
    const partial = new PartialFile(path, destination, url, file, options)
    try {
      partial.version = await readNote(`${path}.json`, url)
      if (partial.version === null) await partial.restart()
      else partial.received = (await file.stat()).size
      return partial
    } catch (error) {
      await file.close()
      throw error
    }
  }

  async takeUp(signal: AbortSignal, onBytes: (read: number) => void): Promise<void> {
    this.#hash = createHash('sha256')
    this.received = await hashHandle(this.#file, this.#hash, { signal, onBytes })
  }

  async reserve(byteLength: number): Promise<void> {
    const disk = await statfs(dirname(this.#path)).catch(() => null)
    const free = disk ? disk.bavail * disk.bsize : Number.POSITIVE_INFINITY
    if (byteLength <= free) return
    throw new HubError(
      'disk-full',
      `${this.#destination} needs ${mebibytes(byteLength)} more, and its disk has ${mebibytes(free)} free. Free some space, ` +
        'or set PLUMAGE_CACHE to a folder on another disk.',
    )
  }

  async begin(version: Version): Promise<void> {
    await this.restart()
    this.version = version
    const note = JSON.stringify({ url: this.#url, etag: version.etag, lastModified: version.lastModified })
    await this.#write(() => writeFile(`${this.#path}.json`, note))
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

  async restart(): Promise<void> {
    await this.#write(() => this.#file.truncate(0))
    this.#hash = createHash('sha256')
    this.received = 0
    this.version = null
  }

  sha256(): string {
    return this.#hash.copy().digest('hex')
  }

  /** Bytes are on the disk before they get their name: whoever sees the destination sees all of it. */
  async finish(): Promise<string> {
    await this.#write(() => this.#file.sync())
    try {
      await this.#options.check?.(this.#path)
    } catch (error) {
      await this.restart()
      throw error
    }
    await this.#file.close()
    await this.#write(() => rename(this.#path, this.#destination))
    await this.#forget(`${this.#path}.json`)
    await syncFolder(dirname(this.#destination))
    const { name } = this.#options
    return name === undefined ? this.#destination : await this.#write(name)
  }

  /** Nothing is left of a file that holds nothing. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#file.fd < 0) return // It is finished.
    await this.#file.close()
    if (this.received > 0) return
    await this.#forget(this.#path)
    await this.#forget(`${this.#path}.json`)
  }

  /** A file that cannot be removed any more, as on a disk that has failed, is in nobody's way, and must not hide why the download ended. */
  async #forget(path: string): Promise<void> {
    await rm(path, { force: true }).catch(() => {})
  }

  async #write<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      throw fileTrouble(error, this.#path)
    }
  }
}

/** Without a note, or with half of one, nothing is known about the bytes, so they are not used. */
async function readNote(path: string, url: string): Promise<Version | null> {
  const note = parseJsonOrNull(await readFile(path, 'utf8').catch(() => ''))
  if (!isRecord(note) || note.url !== url) return null
  const { etag, lastModified } = note
  return { etag: textOrNull(etag), lastModified: textOrNull(lastModified) }
}

function textOrNull(value: PlainValue | undefined): string | null {
  return typeof value === 'string' ? value : null
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`
}

/** Makes the new name itself survive a power cut; Windows has no such call and needs none. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r').catch(() => null)
  await folder?.sync().catch(() => {})
  await folder?.close()
}

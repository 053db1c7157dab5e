/**
 * Keeps the file of an address in the cache, with a note beside it of which version it is and what its hash is: it is used for as long as both are so, and the address has
 * no other.
 */
import { readFile, rm, stat, writeFile } from 'node:fs/promises'
import type { Version } from '../../../hub/byte-ranges.js'
import type { DownloadLock, DownloadPlace, StoredFile } from '../../../hub/download-place.js'
import { isSha256 } from '../../../hub/hash-names.js'
import type { PartialDownload } from '../../../hub/partial-download.js'
import { isRecord, parseJsonOrNull } from '../../../plain-value.js'
import { DiskPlace, type LockPatience } from '../hub/disk-place.js'
import { fileTrouble } from '../hub/file-trouble.js'
import { PartialFile } from '../hub/partial-file.js'
import { rememberedHash } from '../hub/verified-files.js'

/** Says which version of an address a file is, and what bytes it must have. */
export interface KeptNote extends Version {
  readonly sha256: string
}

/** Ends the name of the note beside a file. */
const NOTE = '.kept.json'

export class KeptFile implements DownloadPlace<string> {
  readonly #path: string
  readonly #name: string
  readonly #cache: string
  readonly #disk: DiskPlace

  /**
   * @param path absolute, where the file lies
   * @param url is shown in messages
   * @param name tells the address from others that are kept at this path
   * @param cache is the folder in which hashes are noted
   */
  constructor(path: string, url: URL, name: string, cache: string, patience: LockPatience) {
    this.#path = path
    this.#name = name
    this.#cache = cache
    this.#disk = new DiskPlace(path, url, patience)
  }

  async findStored(): Promise<StoredFile<string> | null> {
    const note = await readNote(this.#path)
    const size = await stat(this.#path).then(
      (found) => found.size,
      () => null,
    )
    if (note === null || size === null) return null
    // What the disk has changed since is fetched anew.
    if ((await rememberedHash(this.#path, this.#cache)) !== note.sha256) return null
    const { etag, lastModified, sha256 } = note
    return { kept: this.#path, size, version: { etag, lastModified }, sha256: async () => sha256 }
  }

  lock(signal: AbortSignal | undefined, onWaiting: (received: number) => void): Promise<DownloadLock> {
    return this.#disk.lock(signal, onWaiting)
  }

  async openPartial(): Promise<PartialDownload<string>> {
    const partial: PartialFile = await PartialFile.open(this.#path, this.#name, {
      name: async () => {
        const note: KeptNote = { ...(partial.version ?? NO_VERSION), sha256: partial.sha256() }
        await writeFile(`${this.#path}${NOTE}`, JSON.stringify(note))
        await rememberedHash(this.#path, this.#cache, { known: note.sha256 })
        return this.#path
      },
    })
    return partial
  }
}

const NO_VERSION: Version = { etag: null, lastModified: null }

/** Gives what is noted of a file that is kept; null where nothing is. */
export async function readNote(path: string): Promise<KeptNote | null> {
  const note = parseJsonOrNull(await readFile(`${path}${NOTE}`, 'utf8').catch(() => ''))
  if (!isRecord(note)) return null
  const { etag = null, lastModified = null, sha256 } = note
  const isText = (value: unknown): value is string | null => value === null || typeof value === 'string'
  if (typeof sha256 !== 'string' || !isSha256(sha256) || !isText(etag) || !isText(lastModified)) return null
  return { etag, lastModified, sha256 }
}

/** Forgets a file that its address does not have any more. Throws `HubError` `no-access`. */
export async function forgetKept(path: string): Promise<void> {
  try {
    for (const name of [`${path}${NOTE}`, path]) await rm(name, { force: true })
  } catch (error) {
    throw fileTrouble(error, path)
  }
}

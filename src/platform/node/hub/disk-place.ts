/** A file has its place on this machine's disk, shared with all its processes. */
import { stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { DownloadLock, DownloadPlace, StoredFile } from '../../../hub/download-place.js'
import { isGitHash } from '../../../hub/hash-names.js'
import type { PartialDownload } from '../../../hub/partial-download.js'
import { showUrl } from '../../../hub/show-url.js'
import { makeFolder } from '../files/make-folder.js'
import { acquireDownloadLock, type LockOptions } from './download-lock.js'
import { errorCode, fileTrouble } from './file-trouble.js'
import { checkGitHash, gitHash, type PublishedFile } from './git-hash.js'
import { hashFile } from './hash-file.js'
import { PartialFile } from './partial-file.js'

/** Says how long other processes are waited for. */
export type LockPatience = Pick<LockOptions, 'staleMs' | 'waitMs'>

/** Keeps the file at an absolute path. What lies there is whole: it got its name only when it was. */
export class DiskPlace implements DownloadPlace<string> {
  readonly #path: string
  readonly #url: URL
  readonly #patience: LockPatience
  readonly #published: PublishedFile | null

  /** @param published says which file of a repository it must be; null where nobody knows */
  constructor(path: string, url: URL, patience: LockPatience, published: PublishedFile | null = null) {
    this.#path = path
    this.#url = url
    this.#patience = patience
    this.#published = published
  }

  async findStored(): Promise<StoredFile<string> | null> {
    const path = this.#path
    const size = await lengthOf(path)
    if (size === 0 || (await this.#isAnother())) return null
    // Nobody noted the version: the file may be the user's own.
    return {
      kept: path,
      size,
      version: null,
      sha256: (signal, onBytes) => hashFile(path, { signal, onBytes }),
    }
  }

  async lock(signal: AbortSignal | undefined, onWaiting: (received: number) => void): Promise<DownloadLock> {
    const folder = dirname(this.#path)
    await makeFolder(folder).catch((error) => {
      throw fileTrouble(error, folder)
    })
    return await acquireDownloadLock(this.#path, {
      ...this.#patience,
      signal,
      onWaiting: async () => onWaiting(await lengthOf(`${this.#path}.partial`)),
    })
  }

  openPartial(): Promise<PartialDownload<string>> {
    const published = this.#published
    const check = published === null ? {} : { check: (path: string) => checkGitHash(path, published) }
    return PartialFile.open(this.#path, showUrl(this.#url), check)
  }

  /** Tells a file that is not the small one which was published; of a large one its SHA-256 is asked for. */
  async #isAnother(): Promise<boolean> {
    const { etag = '' } = this.#published ?? {}
    if (!isGitHash(etag)) return false
    const found = await gitHash(this.#path).catch((error) => {
      throw fileTrouble(error, this.#path)
    })
    return found !== etag
  }
}

/** Gives 0 when there is no such file. */
async function lengthOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return 0
    throw fileTrouble(error, path)
  }
}

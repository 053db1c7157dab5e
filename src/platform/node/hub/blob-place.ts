/**
 * A file of a repository has its place in a cache as huggingface_hub lays it out: its bytes in `blobs`, named by their hash, and a link to them in
 * `snapshots/<commit>`. Where links cannot be made, the file itself lies there. Nothing is ever written or removed in the store of blobs that
 * repositories share, which a repository's blob may itself be a link into.
 */
import { copyFile, lstat, mkdir, rename, stat, symlink } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import type { DownloadLock, DownloadPlace, StoredFile } from '../../../hub/download-place.js'
import { isSha256 } from '../../../hub/hash-names.js'
import type { PartialDownload } from '../../../hub/partial-download.js'
import { makeFolder } from '../files/make-folder.js'
import type { LockPatience } from './disk-place.js'
import { acquireDownloadLock } from './download-lock.js'
import { errorCode, fileTrouble } from './file-trouble.js'
import { checkGitHash, type PublishedFile } from './git-hash.js'
import { hashFile } from './hash-file.js'
import { PartialFile } from './partial-file.js'
import { repositoryFolder } from './python-caches.js'
import { acquirePythonLock } from './python-lock.js'

/** Python never takes a file of this name for one of its own. */
const SUFFIX = '.plumage.incomplete'

export interface Blob extends PublishedFile {
  readonly cache: string
  readonly commit: string
  /** Says whether links may be made. */
  readonly links: boolean
}

export class BlobPlace implements DownloadPlace<string> {
  readonly #blob: Blob
  readonly #patience: LockPatience

  constructor(blob: Blob, patience: LockPatience) {
    this.#blob = blob
    this.#patience = patience
  }

  get #path(): string {
    return join(repositoryFolder(this.#blob.cache, this.#blob.id), 'blobs', this.#blob.etag)
  }

  get #pointer(): string {
    return pointerPath(this.#blob)
  }

  async findStored(locked: boolean): Promise<StoredFile<string> | null> {
    const kept = this.#pointer
    let size = await lengthOf(kept)
    if (size === null && locked && (await lengthOf(this.#path)) !== null) {
      await this.#name(false)
      size = await lengthOf(kept)
    }
    if (size === null) return null
    const { etag } = this.#blob
    return {
      kept,
      size,
      version: null,
      // A blob got its name when its bytes were found to be those: `plumage cache verify` reads them all again.
      sha256: async (signal, onBytes) =>
        (await isLink(kept)) && isSha256(etag) ? etag : await hashFile(kept, { signal, onBytes }),
    }
  }

  async lock(signal: AbortSignal | undefined, onWaiting: (received: number) => void): Promise<DownloadLock> {
    const { cache, id, etag } = this.#blob
    const locks = repositoryFolder(join(cache, '.locks'), id)
    for (const folder of [dirname(this.#path), dirname(this.#pointer), locks]) {
      await makeFolder(folder).catch((error) => {
        throw fileTrouble(error, folder)
      })
    }
    const say = async () => onWaiting((await lengthOf(`${this.#path}${SUFFIX}`)) ?? 0)
    const folder = join(locks, `${etag}.plumage.lock`)
    const ours = await acquireDownloadLock(this.#path, { ...this.#patience, signal, folder, onWaiting: say })
    try {
      const waiting = { waitMs: this.#patience.waitMs, signal, onWaiting: () => void say() }
      const python = await acquirePythonLock(join(locks, `${etag}.lock`), waiting)
      return {
        lost: ours.lost,
        async [Symbol.asyncDispose]() {
          await python[Symbol.asyncDispose]()
          await ours[Symbol.asyncDispose]()
        },
      }
    } catch (error) {
      await ours[Symbol.asyncDispose]()
      throw error
    }
  }

  openPartial(): Promise<PartialDownload<string>> {
    const { etag } = this.#blob
    return PartialFile.open(this.#path, `blob:${etag}`, {
      suffix: SUFFIX,
      check: (path) => checkGitHash(path, this.#blob),
      name: () => this.#name(true),
    })
  }

  /** Gives the blob its name in the snapshot. One that others may lead to is copied where no link can be made. */
  async #name(isNew: boolean): Promise<string> {
    const pointer = this.#pointer
    const temporary = `${pointer}.plumage.${process.pid}`
    await mkdir(dirname(pointer), { recursive: true })
    if (this.#blob.links && (await linkOrNot(relative(dirname(pointer), this.#path), temporary))) {
      await rename(temporary, pointer)
    } else if (isNew) {
      await rename(this.#path, pointer)
    } else {
      await copyFile(this.#path, temporary)
      await rename(temporary, pointer)
    }
    return pointer
  }
}

/** Gives the path that a repository's file has in a cache. */
export function pointerPath({ cache, id, commit, name }: Omit<Blob, 'etag' | 'links'>): string {
  return join(repositoryFolder(cache, id), 'snapshots', commit, name)
}

/** Windows makes links for some people only, and some disks for nobody. */
async function linkOrNot(target: string, path: string): Promise<boolean> {
  try {
    await symlink(target, path)
    return true
  } catch (error) {
    if (['EPERM', 'EACCES', 'ENOSYS', 'ENOTSUP', 'EINVAL'].includes(errorCode(error))) return false
    throw fileTrouble(error, path)
  }
}

async function isLink(path: string): Promise<boolean> {
  return (await lstat(path)).isSymbolicLink()
}

/** Follows links, however many; null where they lead nowhere. */
async function lengthOf(path: string): Promise<number | null> {
  try {
    const found = await stat(path)
    return found.isFile() ? found.size : null
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes(errorCode(error))) return null
    throw fileTrouble(error, path)
  }
}

/** A model has its place in the origin's private file system, shared with all tabs of the origin. */
import { systemClock } from '../../../hub/clock.js'
import type { DownloadLock, DownloadPlace, StoredFile } from '../../../hub/download-place.js'
import type { PartialDownload } from '../../../hub/partial-download.js'
import { MemoryBytes, OriginBytes } from './model-bytes.js'
import { NOTE_ENDING, parseNoteOrNull } from './model-folder.js'
import { PartialModel } from './partial-model.js'

const LOOK_AGAIN_MS = 250

export class OriginPlace implements DownloadPlace<Blob> {
  /** Is the noted hash of the file that was found here; null where there was none. */
  foundSha256: string | null = null
  readonly #folder: FileSystemDirectoryHandle | null
  readonly #key: string
  readonly #url: string
  readonly #isKeyHash: boolean

  /**
   * @param folder null where there is no storage: then bytes stay in memory
   * @param key names the file among others: hexadecimal digits
   * @param isKeyHash whether the key is the hash that the file must have
   */
  constructor(folder: FileSystemDirectoryHandle | null, key: string, url: URL, isKeyHash: boolean) {
    this.#folder = folder
    this.#key = key
    this.#url = url.href
    this.#isKeyHash = isKeyHash
  }

  /** Without the lock another tab may be replacing what its note still calls whole. */
  async findStored(locked: boolean): Promise<StoredFile<Blob> | null> {
    if (!locked) return null
    const noteFile = await this.#fileOrNull(`${this.#key}${NOTE_ENDING}`)
    const note = noteFile === null ? null : parseNoteOrNull(await noteFile.text())
    // What is filed under a hash is right wherever it came from.
    if (note === null || !(this.#isKeyHash || note.url === this.#url)) return null
    const { sha256 } = note
    const kept = sha256 === null ? null : await this.#fileOrNull(this.#key)
    if (sha256 === null || kept === null) return null
    this.foundSha256 = sha256
    return { kept, size: kept.size, version: note, sha256: async () => sha256 }
  }

  async lock(signal: AbortSignal | undefined, onWaiting: (received: number) => void): Promise<DownloadLock> {
    const lost = new AbortController()
    // Pages that are not secure have no locks, and no storage that would need them.
    if (navigator.locks === undefined) return { lost: lost.signal, [Symbol.asyncDispose]: async () => {} }
    let letGo = () => {}
    const isDone = new Promise<void>((resolve) => {
      letGo = resolve
    })
    const isGranted = new Promise<void>((granted, refused) => {
      const work = async () => {
        granted()
        await isDone
      }
      navigator.locks.request(`plumage ${this.#key}`, signal ? { signal } : {}, work).catch((error) => {
        refused(error)
        lost.abort(error)
      })
    })
    try {
      await this.#tellUntil(isGranted, onWaiting)
    } catch (error) {
      letGo() // It could still be granted.
      throw error
    }
    return { lost: lost.signal, [Symbol.asyncDispose]: async () => letGo() }
  }

  async openPartial(): Promise<PartialDownload<Blob>> {
    if (this.#folder === null) return new PartialModel(new MemoryBytes(), this.#url)
    const bytes = await OriginBytes.open(this.#folder, this.#key)
    try {
      return new PartialModel(bytes, this.#url)
    } catch (error) {
      bytes.close()
      throw error
    }
  }

  /** Tells how far the other tab is until the lock is granted. */
  async #tellUntil(isGranted: Promise<void>, onWaiting: (received: number) => void): Promise<void> {
    const granted = isGranted.then(() => true)
    while (true) {
      const timeIsOver = systemClock.pause(LOOK_AGAIN_MS, undefined).then(() => false)
      if (await Promise.race([granted, timeIsOver])) return
      onWaiting((await this.#fileOrNull(this.#key))?.size ?? 0)
    }
  }

  async #fileOrNull(name: string): Promise<File | null> {
    try {
      const handle = await this.#folder?.getFileHandle(name)
      return (await handle?.getFile()) ?? null
    } catch (error) {
      if (error instanceof DOMException && error.name === 'NotFoundError') return null
      throw error
    }
  }
}

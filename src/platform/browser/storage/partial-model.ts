/**
 * A model's file on its way into the origin's private file system: its bytes, the running sha256, and a note that says which version of which
 * address they are of. Where there is no such file system (a private window), bytes stay in memory.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import type { Version } from '../../../hub/byte-ranges.js'
import { HubError } from '../../../hub/hub-error.js'

/** What is noted of a file. */
export interface Note extends Version {
  readonly url: string
  /** Of the whole file; null while parts are missing. */
  readonly sha256: string | null
}

const FOLDER = 'plumage-models'
const PIECE = 4 * 2 ** 20

export class PartialModel implements AsyncDisposable {
  note: Note | null
  /** Bytes held; all of them hashed once `rehash` has been called. */
  received: number
  /** Whether all bytes came in one answer. If not, they could be of different versions. */
  inOnePiece = true
  readonly #place: Place
  #hash = sha256.create()

  private constructor(place: Place, note: Note | null) {
    this.#place = place
    this.note = note
    this.received = place.size
  }

  /** @param key names the file among others: hexadecimal digits */
  static async open(key: string, onWarning: (message: string) => void): Promise<PartialModel> {
    const folder = await folderOrNull(onWarning)
    if (folder === null) return new PartialModel(new MemoryPlace(), null)
    const place = await FilePlace.open(folder, key)
    return new PartialModel(place, place.readNote())
  }

  /** Takes up what an earlier visit left. */
  async rehash(signal: AbortSignal, onBytes: (read: number) => void): Promise<void> {
    this.#hash = sha256.create()
    for (let at = 0; at < this.received; at += PIECE) {
      signal.throwIfAborted()
      this.#hash.update(this.#place.read(at, Math.min(PIECE, this.received - at)))
      onBytes(Math.min(at + PIECE, this.received))
      // Messages, such as a wish to stop, come in between.
      await new Promise((resolve) => setTimeout(resolve))
    }
    this.inOnePiece = this.received === 0
  }

  /** Forgets all bytes; `note` says what will come. */
  restart(note: Note | null): void {
    this.#attempt(() => this.#place.truncate())
    this.#hash = sha256.create()
    this.received = 0
    this.inOnePiece = true
    this.note = note
    this.#attempt(() => this.#place.writeNote(note))
  }

  append(bytes: Uint8Array): void {
    this.#attempt(() => this.#place.append(bytes))
    this.#hash.update(bytes)
    this.received += bytes.length
  }

  sha256(): string {
    return bytesToHex(this.#hash.clone().digest())
  }

  /** The bytes as a file that is read from when asked; noted as whole. */
  async finish(): Promise<Blob> {
    const note = this.note
    if (note !== null && note.sha256 === null) {
      this.note = { ...note, sha256: this.sha256() }
      this.#attempt(() => this.#place.writeNote(this.note))
    }
    return await this.#place.blob()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#place.close()
  }

  #attempt(action: () => void): void {
    try {
      action()
    } catch (cause) {
      if (!(cause instanceof DOMException) || cause.name !== 'QuotaExceededError') throw cause
      throw new HubError(
        'disk-full',
        `The browser gives this site no more space, ${this.received} bytes into the model. Free some space on the disk, or remove ` +
          'models that are no longer needed (removeStoredModels), and load again: it goes on from there.',
        { cause },
      )
    }
  }
}

export interface StoredModel {
  readonly url: string
  readonly bytes: number
  /** False where a download was interrupted: loading the model goes on from there. */
  readonly whole: boolean
}

/** What this origin holds of downloaded models. */
export async function listStoredModels(): Promise<readonly StoredModel[]> {
  const folder = await folderOrNull(() => {})
  const found: StoredModel[] = []
  for await (const [name, handle] of folder?.entries() ?? []) {
    if (!name.endsWith(NOTE_ENDING) || handle.kind !== 'file') continue
    const note = parseNote(await (await (handle as FileSystemFileHandle).getFile()).text())
    const file = await folder?.getFileHandle(name.slice(0, -NOTE_ENDING.length)).catch(() => null)
    const bytes = (await file?.getFile())?.size
    if (note !== null && bytes !== undefined)
      found.push({ url: note.url, bytes, whole: note.sha256 !== null })
  }
  return found
}

/**
 * Removes the downloaded models of this origin; those in use stay usable until their encoder is disposed of, if the browser allows it.
 *
 * @returns what is still there: models that are being downloaded at this moment, in whichever tab
 */
export async function removeStoredModels(): Promise<readonly StoredModel[]> {
  const folder = await folderOrNull(() => {})
  const names: string[] = []
  for await (const name of folder?.keys() ?? []) names.push(name)
  // The bytes first: a note alone speaks of nothing.
  const isNote = (name: string) => Number(name.endsWith(NOTE_ENDING))
  const held = new Set<string>()
  for (const name of names.sort((a, b) => isNote(a) - isNote(b))) {
    if (held.has(name)) continue
    await folder?.removeEntry(name).catch((error) => {
      if (!(error instanceof DOMException)) throw error
      // Another tab was faster.
      if (error.name === 'NotFoundError') return
      if (error.name !== 'NoModificationAllowedError' && error.name !== 'InvalidStateError') throw error
      held.add(name).add(`${name}${NOTE_ENDING}`)
    })
  }
  return await listStoredModels()
}

const NOTE_ENDING = '.note'

/** Where the bytes lie. */
interface Place {
  readonly size: number
  append(bytes: Uint8Array): void
  read(offset: number, length: number): Uint8Array
  truncate(): void
  writeNote(note: Note | null): void
  /** Nothing can be written any more. */
  blob(): Promise<Blob>
  close(): void
}

class FilePlace implements Place {
  size: number
  readonly #handle: FileSystemFileHandle
  readonly #file: FileSystemSyncAccessHandle
  readonly #note: FileSystemSyncAccessHandle

  private constructor(
    handle: FileSystemFileHandle,
    file: FileSystemSyncAccessHandle,
    note: FileSystemSyncAccessHandle,
  ) {
    this.#handle = handle
    this.#file = file
    this.#note = note
    this.size = file.getSize()
  }

  static async open(folder: FileSystemDirectoryHandle, key: string): Promise<FilePlace> {
    const handle = await folder.getFileHandle(key, { create: true })
    const noteHandle = await folder.getFileHandle(`${key}${NOTE_ENDING}`, { create: true })
    const file = await handle.createSyncAccessHandle()
    try {
      return new FilePlace(handle, file, await noteHandle.createSyncAccessHandle())
    } catch (error) {
      file.close()
      throw error
    }
  }

  readNote(): Note | null {
    const bytes = new Uint8Array(this.#note.getSize())
    this.#note.read(bytes, { at: 0 })
    return parseNote(new TextDecoder().decode(bytes))
  }

  writeNote(note: Note | null): void {
    this.#note.truncate(0)
    if (note !== null) this.#note.write(new TextEncoder().encode(JSON.stringify(note)), { at: 0 })
    // The bytes first: a note must not speak of what is not there.
    this.#file.flush()
    this.#note.flush()
  }

  append(bytes: Uint8Array): void {
    const written = this.#file.write(bytes as Uint8Array<ArrayBuffer>, { at: this.size })
    this.size += written
    if (written < bytes.length) throw new DOMException('a part was not written', 'QuotaExceededError')
  }

  read(offset: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length)
    this.#file.read(bytes, { at: offset })
    return bytes
  }

  truncate(): void {
    this.#file.truncate(0)
    this.size = 0
  }

  async blob(): Promise<Blob> {
    this.close()
    return await this.#handle.getFile()
  }

  close(): void {
    this.#file.close()
    this.#note.close()
  }
}

class MemoryPlace implements Place {
  size = 0
  #pieces: Uint8Array<ArrayBuffer>[] = []

  append(bytes: Uint8Array): void {
    this.#pieces.push(bytes as Uint8Array<ArrayBuffer>)
    this.size += bytes.length
  }
  read(): Uint8Array {
    throw new Error('nothing in memory outlives a visit')
  }
  truncate(): void {
    this.#pieces = []
    this.size = 0
  }
  writeNote(): void {}
  async blob(): Promise<Blob> {
    return new Blob(this.#pieces)
  }
  close(): void {}
}

async function folderOrNull(onWarning: (message: string) => void): Promise<FileSystemDirectoryHandle | null> {
  try {
    const root = await navigator.storage.getDirectory()
    return await root.getDirectoryHandle(FOLDER, { create: true })
  } catch (error) {
    onWarning(
      `This browser gives the page no storage (${error instanceof Error ? error.message : String(error)}): the model is kept in memory and ` +
        'downloaded anew at the next visit. Storage needs a secure page (https or localhost) in a window that is not private.',
    )
    return null
  }
}

function parseNote(text: string): Note | null {
  try {
    const note: Partial<Record<keyof Note, unknown>> = JSON.parse(text)
    const { url, etag, lastModified, sha256 } = note
    const isTextOrNull = (value: unknown) => value === null || typeof value === 'string'
    if (typeof url !== 'string' || ![etag, lastModified, sha256].every(isTextOrNull)) return null
    return note as Note
  } catch {
    return null // No note, or half of one: nothing is known about the bytes, so they are not used.
  }
}

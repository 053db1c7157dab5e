/** The bytes of one model lie in a file of the origin, or in memory where there is no storage. */
import { type ModelNote, NOTE_ENDING, parseNoteOrNull } from './model-folder.js'

export interface ModelBytes {
  readonly size: number
  readNote(): ModelNote | null
  writeNote(note: ModelNote | null): void
  append(bytes: Uint8Array): void
  read(offset: number, length: number): Uint8Array
  truncate(): void
  /** Gives all bytes as a file. Nothing can be written any more. */
  blob(): Promise<Blob>
  close(): void
}

/** Holds the file open for itself alone: whoever else opens it meanwhile fails. */
export class OriginBytes implements ModelBytes {
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

  static async open(folder: FileSystemDirectoryHandle, key: string): Promise<OriginBytes> {
    const handle = await folder.getFileHandle(key, { create: true })
    const noteHandle = await folder.getFileHandle(`${key}${NOTE_ENDING}`, { create: true })
    const file = await handle.createSyncAccessHandle()
    try {
      return new OriginBytes(handle, file, await noteHandle.createSyncAccessHandle())
    } catch (error) {
      file.close()
      throw error
    }
  }

  readNote(): ModelNote | null {
    const bytes = new Uint8Array(this.#note.getSize())
    this.#note.read(bytes, { at: 0 })
    return parseNoteOrNull(new TextDecoder().decode(bytes))
  }

  writeNote(note: ModelNote | null): void {
    this.#note.truncate(0)
    if (note !== null) this.#note.write(new TextEncoder().encode(JSON.stringify(note)), { at: 0 })
    // The bytes are flushed first: a note must not speak of what is not there.
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

export class MemoryBytes implements ModelBytes {
  size = 0
  #pieces: Uint8Array<ArrayBuffer>[] = []

  readNote(): null {
    return null
  }
  writeNote(): void {}
  append(bytes: Uint8Array): void {
    this.#pieces.push(bytes as Uint8Array<ArrayBuffer>)
    this.size += bytes.length
  }
  read(offset: number, length: number): Uint8Array {
    const bytes = new Uint8Array(this.size)
    let end = 0
    for (const piece of this.#pieces) {
      bytes.set(piece, end)
      end += piece.length
    }
    return bytes.subarray(offset, offset + length)
  }
  truncate(): void {
    this.#pieces = []
    this.size = 0
  }
  async blob(): Promise<Blob> {
    return new Blob(this.#pieces)
  }
  close(): void {}
}

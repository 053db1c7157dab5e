/** Adds lines to a file, each with one system call: a kill cuts off at most the last of them. */
import { type FileHandle, open } from 'node:fs/promises'
import { explainWriteError } from './file-error.js'

export class GrowingNodeFile implements AsyncDisposable {
  readonly #path: string
  readonly #handle: FileHandle

  private constructor(path: string, handle: FileHandle) {
    this.#path = path
    this.#handle = handle
  }

  /** Makes the file where it is absent. Throws `FileError`. */
  static async open(path: string): Promise<GrowingNodeFile> {
    try {
      return new GrowingNodeFile(path, await open(path, 'a'))
    } catch (error) {
      throw explainWriteError(error, path)
    }
  }

  write(text: string): Promise<void> {
    return this.#explained(this.#handle.writeFile(text))
  }

  sync(): Promise<void> {
    return this.#explained(this.#handle.sync())
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#handle.close()
  }

  async #explained(work: Promise<void>): Promise<void> {
    try {
      await work
    } catch (error) {
      throw explainWriteError(error, this.#path)
    }
  }
}

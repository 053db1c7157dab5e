/** Inputs that could not be done, one JSON line each; kept on the disk, for there may be as many as there are inputs. */
import { type FileHandle, open, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { explainWriteError } from './output-error.js'

export interface Failure {
  readonly path: string
  readonly reason: string
}

export class FailureList implements AsyncDisposable {
  readonly #path: string
  readonly #handle: FileHandle

  private constructor(path: string, handle: FileHandle) {
    this.#path = path
    this.#handle = handle
  }

  /** Empty: what failed in an earlier run is tried again. */
  static async open(folder: string): Promise<FailureList> {
    const path = join(folder, 'errors.jsonl')
    return new FailureList(path, await open(path, 'w'))
  }

  async add({ path, reason }: Failure): Promise<void> {
    try {
      await this.#handle.writeFile(`${JSON.stringify({ path, error: reason })}\n`)
    } catch (error) {
      throw explainWriteError(error, this.#path)
    }
  }

  /** Gives the list its lasting place. */
  async publish(path: string): Promise<void> {
    await this.#handle.sync()
    await rename(this.#path, path)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close()
  }
}

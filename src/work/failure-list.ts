/** Keeps a JSON line for each input that could not be done: in a file, for there may be as many as there are inputs. */
import { jsonText } from '../formats/json-text.js'
import { below, type Failure, type Files, type GrowingFile } from './files.js'

export class FailureList implements AsyncDisposable {
  readonly #files: Files
  readonly #path: string
  readonly #file: GrowingFile

  private constructor(files: Files, path: string, file: GrowingFile) {
    this.#files = files
    this.#path = path
    this.#file = file
  }

  /** Begins empty: what failed in an earlier run is tried again. */
  static async open(files: Files, folder: string): Promise<FailureList> {
    const path = below(files, folder, 'errors.jsonl')
    await files.remove(path)
    return new FailureList(files, path, await files.append(path))
  }

  async add({ path, reason }: Failure): Promise<void> {
    await this.#file.write(`${jsonText({ path, error: reason })}\n`)
  }

  /** Gives the list its lasting place. */
  async publish(path: string): Promise<void> {
    await this.#file.sync()
    await this.#files.rename(this.#path, path)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file[Symbol.asyncDispose]()
  }
}

/**
 * Keeps a model's file on its way: its bytes, their running sha256, and a note that says which version of
 * which address they are of.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import type { Version } from '../../../hub/byte-ranges.js'
import { HubError } from '../../../hub/hub-error.js'
import type { PartialDownload } from '../../../hub/partial-download.js'
import { assertGitHash, publishedHashOrNull } from './git-hash.js'
import type { ModelBytes } from './model-bytes.js'

const PIECE = 4 * 2 ** 20

export class PartialModel implements PartialDownload<Blob> {
  version: Version | null
  readonly #bytes: ModelBytes
  readonly #url: string
  #hash = sha256.create()

  /** Takes over what an earlier visit left of the same address; anything else there is thrown away. */
  constructor(bytes: ModelBytes, url: string) {
    this.#bytes = bytes
    this.#url = url
    const note = bytes.readNote()
    this.version = note !== null && note.url === url && note.sha256 === null ? note : null
    if (this.version === null) this.#empty()
  }

  get received(): number {
    return this.#bytes.size
  }

  async takeUp(signal: AbortSignal, onBytes: (read: number) => void): Promise<void> {
    this.#hash = sha256.create()
    for (let at = 0; at < this.received; at += PIECE) {
      signal.throwIfAborted()
      this.#hash.update(this.#bytes.read(at, Math.min(PIECE, this.received - at)))
      onBytes(Math.min(at + PIECE, this.received))
      // Messages, such as a wish to stop, come in between.
      await new Promise((resolve) => setTimeout(resolve))
    }
  }

  /**
   * Browsers only estimate how much room there is, so that nothing is certain before the bytes are written.
   */
  async reserve(): Promise<void> {}

  async begin({ etag, lastModified }: Version): Promise<void> {
    this.#empty()
    this.version = { etag, lastModified }
    this.#writeNote(null)
  }

  async append(bytes: Uint8Array): Promise<void> {
    this.#attempt(() => this.#bytes.append(bytes))
    this.#hash.update(bytes)
  }

  async restart(): Promise<void> {
    this.#empty()
  }

  sha256(): string {
    return bytesToHex(this.#hash.clone().digest())
  }

  /** The bytes become a file that is read from when asked, noted as whole. */
  async finish(): Promise<Blob> {
    await this.#checkPublished()
    this.#writeNote(this.sha256())
    return await this.#bytes.blob()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#bytes.close()
  }

  async #checkPublished(): Promise<void> {
    const expected = publishedHashOrNull(this.#url, this.version)
    if (expected === null) return
    try {
      await assertGitHash(this.#bytes.read(0, this.received), expected, this.#url)
    } catch (error) {
      this.#empty()
      throw error
    }
  }

  #empty(): void {
    this.#attempt(() => this.#bytes.truncate())
    this.#hash = sha256.create()
    this.version = null
    this.#attempt(() => this.#bytes.writeNote(null))
  }

  #writeNote(sha256: string | null): void {
    const { version } = this
    if (version !== null) this.#attempt(() => this.#bytes.writeNote({ ...version, url: this.#url, sha256 }))
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

/** A platform keeps a file on its way so that it outlives cuts and, where the platform can, the program. */
import type { Version } from './byte-ranges.js'

export interface PartialDownload<Kept> extends AsyncDisposable {
  /** Counts the bytes held. Those of an earlier run are in the hash only after `takeUp`. */
  readonly received: number
  /** Says which version the bytes are of; null when nothing is known of them, so that they cannot be used. */
  readonly version: Version | null
  /** Hashes what an earlier run left. Throws the signal's reason. */
  takeUp(signal: AbortSignal, onBytes: (read: number) => void): Promise<void>
  /** Throws `disk-full` where it is certain that so many more bytes will find no room. */
  reserve(byteLength: number): Promise<void>
  /**
   * Forgets all bytes, and notes the version of those that will come, so that a later run can ask for the
   * rest of the same one.
   */
  begin(version: Version): Promise<void>
  /** Throws `disk-full` or `no-access`; what was written before stays. */
  append(bytes: Uint8Array): Promise<void>
  /** Forgets all bytes and their version. */
  restart(): Promise<void>
  /** Gives the hash of all bytes so far, as 64 hexadecimal digits in lower case. */
  sha256(): string
  /** Makes the whole file out of what has come. Nothing else may be called afterwards. */
  finish(): Promise<Kept>
  /** Closes; unless the file was finished, the bytes stay for the next run. */
  [Symbol.asyncDispose](): Promise<void>
}

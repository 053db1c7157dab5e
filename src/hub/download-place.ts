/** A platform keeps the file of a download somewhere, and makes sure that one at a time writes there. */
import type { Version } from './byte-ranges.js'
import type { PartialDownload } from './partial-download.js'

/** Stands for a whole file that is here already. */
export interface StoredFile<Kept> {
  readonly kept: Kept
  /** Counts the file's bytes. */
  readonly size: number
  /**
   * Repeats what the server named when the file came; null where nobody noted it, and then the server is not
   * asked for changes.
   */
  readonly version: Version | null
  /** Gives 64 hexadecimal digits in lower case, computed now or noted earlier. */
  sha256(signal: AbortSignal | undefined, onBytes: (read: number) => void): Promise<string>
}

export interface DownloadLock extends AsyncDisposable {
  /** Aborts when somebody else took the lock over. */
  readonly lost: AbortSignal
}

export interface DownloadPlace<Kept> {
  /**
   * @param locked whether the lock is held. Where only its holder can tell what is whole, nothing is found
   * without.
   */
  findStored(locked: boolean): Promise<StoredFile<Kept> | null>
  /**
   * Waits until nobody else downloads this file. `onWaiting` hears now and then how many bytes the other one
   * has. Throws `HubError` when it takes too long, the signal's reason when aborted.
   */
  lock(signal: AbortSignal | undefined, onWaiting: (received: number) => void): Promise<DownloadLock>
  /**
   * Opens what an earlier run left of the same address, or begins anew. Only the lock's holder may call it.
   */
  openPartial(): Promise<PartialDownload<Kept>>
}

/** Where a platform keeps the file of one download, and how it makes sure that one at a time writes there. */
import type { Version } from './byte-ranges.js'
import type { PartialDownload } from './partial-download.js'

/** A whole file that is here already. */
export interface StoredFile<Kept> {
  readonly kept: Kept
  /** In bytes. */
  readonly size: number
  /** The version that the server named when it came; null where nobody noted it, and then the server is not asked for changes. */
  readonly version: Version | null
  /** 64 hexadecimal digits in lower case: computed, or noted when they were. */
  sha256(signal: AbortSignal | undefined, onBytes: (read: number) => void): Promise<string>
}

export interface DownloadLock extends AsyncDisposable {
  /** Aborts when somebody else took the lock over. */
  readonly lost: AbortSignal
}

export interface DownloadPlace<Kept> {
  /** @param locked whether the lock is held. Where only its holder can tell what is whole, nothing is found without. */
  findStored(locked: boolean): Promise<StoredFile<Kept> | null>
  /**
   * Waits until nobody else downloads this file. `onWaiting` hears now and then how many bytes the other one has. Throws `HubError`
   * when it takes too long, the signal's reason when aborted.
   */
  lock(signal: AbortSignal | undefined, onWaiting: (received: number) => void): Promise<DownloadLock>
  /** Opens what an earlier run left of the same address, or begins anew. Called by the lock's holder only. */
  openPartial(): Promise<PartialDownload<Kept>>
}

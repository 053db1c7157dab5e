/**
 * Tells when something in folders has changed. The system's own word is taken where it gives one, once nothing has come for a while, since a copy takes its time;
 * and now and then a look is due anyway, since network drives and crowded systems say nothing.
 */
import { type FSWatcher, watch } from 'node:fs'
import { join } from 'node:path'

export interface FolderWatchOptions {
  /** Tells of a path whether what happens to it does not matter. */
  readonly ignores: (path: string) => boolean
  /** So many milliseconds without a change end one; default 2000. */
  readonly quietMs?: number
  /** After so many milliseconds a look is due; default ten minutes. */
  readonly everyMs?: number
  /** Is told where the system cannot watch a folder. */
  readonly onUnwatched?: (folder: string, reason: string) => void
}

export class FolderWatch implements Disposable {
  readonly #watchers: FSWatcher[] = []
  readonly #quietMs: number
  readonly #everyMs: number
  #changedAt: number | null = null
  #lookedAt = performance.now()
  #wake: (() => void) | null = null

  constructor(folders: readonly string[], options: FolderWatchOptions) {
    const { ignores, quietMs = 2000, everyMs = 600_000, onUnwatched } = options
    this.#quietMs = quietMs
    this.#everyMs = everyMs
    for (const folder of folders) {
      const unwatched = (error: unknown) =>
        onUnwatched?.(folder, error instanceof Error ? error.message : String(error))
      try {
        const watcher = watch(folder, { recursive: true }, (_event, name) => {
          if (name === null || !ignores(join(folder, name))) this.#note()
        })
        watcher.on('error', unwatched)
        this.#watchers.push(watcher)
      } catch (error) {
        unwatched(error)
      }
    }
  }

  #note(): void {
    this.#changedAt = performance.now()
    this.#wake?.()
  }

  /** Resolves with true when a look is due, and with false when the signal ends the waiting. */
  async next(signal: AbortSignal): Promise<boolean> {
    while (!signal.aborted) {
      const now = performance.now()
      const quietAt = this.#changedAt === null ? Number.POSITIVE_INFINITY : this.#changedAt + this.#quietMs
      const dueAt = Math.min(quietAt, this.#lookedAt + this.#everyMs)
      if (now >= dueAt) {
        this.#changedAt = null
        this.#lookedAt = now
        return true
      }
      await this.#sleep(dueAt - now, signal)
    }
    return false
  }

  async #sleep(ms: number, signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => wake(), ms)
      const wake = () => {
        clearTimeout(timer)
        signal.removeEventListener('abort', wake)
        resolve()
      }
      signal.addEventListener('abort', wake)
      this.#wake = wake
    })
    this.#wake = null
  }

  [Symbol.dispose](): void {
    for (const watcher of this.#watchers) watcher.close()
  }
}

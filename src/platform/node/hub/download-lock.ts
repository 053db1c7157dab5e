/** Lets one download of a file happen at a time on this machine, whichever processes want it. */
import { systemClock } from '../../../hub/clock.js'
import type { DownloadLock } from '../../../hub/download-place.js'
import { HubError } from '../../../hub/hub-error.js'
import { errorCode, fileTrouble } from './file-trouble.js'

const LOOK_AGAIN_MS = 250

export interface LockOptions {
  /** A lock not renewed for this long is that of a dead process and is taken over. It is at least 2 seconds. */
  readonly staleMs: number
  /** Another process is waited for so long. */
  readonly waitMs: number
  readonly signal?: AbortSignal | undefined
  /** It is called each time the lock is found to be another's. */
  readonly onWaiting: () => Promise<void>
  /** Is the folder that stands for the lock; default: `<path>.lock`. */
  readonly folder?: string | undefined
}

/**
 * Waits for `<path>.lock`, a folder that exists while a process downloads. Throws `locked` when it takes too
 * long.
 */
export async function acquireDownloadLock(path: string, options: LockOptions): Promise<DownloadLock> {
  // It is loaded here because it hooks into the end of the process as soon as it is loaded.
  const { default: lockfile } = await import('proper-lockfile')
  const lost = new AbortController()
  const folder = options.folder ?? `${path}.lock`
  const lockOptions = {
    lockfilePath: folder,
    realpath: false,
    stale: options.staleMs,
    update: options.staleMs / 4,
    onCompromised: () => lost.abort(taken(path, folder)),
  }
  const deadline = Date.now() + options.waitMs
  while (true) {
    options.signal?.throwIfAborted()
    try {
      const release = await lockfile.lock(path, lockOptions)
      // A lock that was lost cannot be given back.
      return { lost: lost.signal, [Symbol.asyncDispose]: () => release().catch(() => {}) }
    } catch (error) {
      if (errorCode(error) !== 'ELOCKED') throw fileTrouble(error, folder)
      if (Date.now() > deadline) throw stillHeld(path, folder, options.waitMs)
    }
    await options.onWaiting()
    await systemClock.pause(LOOK_AGAIN_MS, options.signal)
  }
}

function taken(path: string, folder: string): HubError {
  return new HubError(
    'locked',
    `Another process took over the download of ${path} (${folder}), expected to hold it to the end. ` +
      'Run again: it waits for the other one, or goes on from what has arrived.',
  )
}

function stillHeld(path: string, folder: string, waitMs: number): HubError {
  return new HubError(
    'locked',
    `Another process has been downloading ${path} for over ${Math.round(waitMs / 1000)} s. Wait for it to end, or, ` +
      `if there is none, remove the folder ${folder}.`,
  )
}

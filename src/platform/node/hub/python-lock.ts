/** Takes the lock that huggingface_hub takes on a file which it downloads, so that Python and this library wait for each other. */
import { type FileHandle, open, stat } from 'node:fs/promises'
import { systemClock } from '../../../hub/clock.js'
import { HubError } from '../../../hub/hub-error.js'
import { addonOrReason } from '../native/load-addon.js'

const LOOK_AGAIN_MS = 250
/** Stands for a lock where there is none to take. */
const NONE: AsyncDisposable = { [Symbol.asyncDispose]: async () => {} }

export interface PythonLockOptions {
  readonly waitMs: number
  readonly signal?: AbortSignal | undefined
  readonly onWaiting: () => void
}

/**
 * Waits for the lock of a file that is made for it alone. Where there is no native addon, or the disk has no locks, none is taken: files get their
 * names whole, and at worst two processes fetch the same one. Throws `locked` when it takes too long, the signal's reason when aborted.
 */
export async function acquirePythonLock(path: string, options: PythonLockOptions): Promise<AsyncDisposable> {
  const addon = addonOrReason()
  if (typeof addon === 'string' || addon.lockFile === undefined) return NONE
  const deadline = Date.now() + options.waitMs
  while (true) {
    options.signal?.throwIfAborted()
    const file = await open(path, 'a', 0o664).catch(() => null)
    if (file === null) return NONE
    const held = isFree(addon.lockFile, file)
    if (held === 'unknown' || (held && (await isStillThere(file, path))))
      return { [Symbol.asyncDispose]: () => file.close() }
    await file.close()
    if (held) continue
    if (Date.now() > deadline) throw stillHeld(path, options.waitMs)
    options.onWaiting()
    await systemClock.pause(LOOK_AGAIN_MS, options.signal)
  }
}

function isFree(lock: (descriptor: number) => boolean, file: FileHandle): boolean | 'unknown' {
  try {
    return lock(file.fd)
  } catch {
    return 'unknown' // Some disks of a network have no locks.
  }
}

/** Whoever held the lock before may have taken the file away, and then another one has the name. */
async function isStillThere(file: FileHandle, path: string): Promise<boolean> {
  const [ours, named] = await Promise.all([file.stat(), stat(path).catch(() => null)])
  return named !== null && named.ino === ours.ino && named.dev === ours.dev
}

function stillHeld(path: string, waitMs: number): HubError {
  return new HubError(
    'locked',
    `Another program, such as Python's huggingface_hub, has held ${path} for over ${Math.round(waitMs / 1000)} s. Wait for it to end, then run again.`,
  )
}

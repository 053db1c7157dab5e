/** Tries again what may pass: after a while that grows, and differs from one who tries to the next, so that many do not come back at once. */
import { setMaxListeners } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { StorageError } from '../../../storage/storage-error.js'

const FIRST_WAIT_MS = 100
const LONGEST_WAIT_MS = 10_000
const LONGEST_AFTER_LIE_MS = 1600

/** Is thrown by a try for what may be gone at the next one. */
export class Passing extends Error {
  /** Is how long the server asks to be left alone, or 0 where the next try need not wait; undefined leaves it to the growing while. */
  readonly waitMs: number | undefined

  constructor(message: string, options: { readonly cause?: unknown; readonly waitMs?: number } = {}) {
    super(message, options)
    this.waitMs = options.waitMs
  }
}

export interface Patience {
  /** Is how long it is tried, in milliseconds from the first try on. */
  readonly patienceMs: number
  readonly signal?: AbortSignal | undefined
}

/** Throws `StorageError` `unavailable` once it has been tried for so long; what `attempt` throws that is not `Passing`; the signal's reason. */
export async function keepTrying<Result>(
  attempt: () => Promise<Result>,
  { patienceMs, signal }: Patience,
): Promise<Result> {
  // Dozens of requests may wait on one signal; none of them forgets to leave it.
  if (signal !== undefined) setMaxListeners(0, signal)
  const start = performance.now()
  for (let tries = 1; ; tries++) {
    signal?.throwIfAborted()
    try {
      return await attempt()
    } catch (error) {
      signal?.throwIfAborted()
      if (!(error instanceof Passing)) throw error
      const wait = waitOf(error, tries)
      const spent = performance.now() - start
      if (spent + wait > patienceMs)
        throw new StorageError(
          'unavailable',
          `${error.message}. It was tried ${tries} ${tries === 1 ? 'time' : 'times'} in ${(spent / 1000).toFixed(1)} s. Look after the server and the network, and run again.`,
          { cause: error.cause },
        )
      await pause(wait, signal)
    }
  }
}

/** Waits between one unbelievable answer and the next try, since what lies between may do the same to all that comes at once. Throws the signal's reason. */
export async function waitAfterLie(tries: number, signal: AbortSignal | undefined): Promise<void> {
  await pause(Math.random() * Math.min(LONGEST_AFTER_LIE_MS, FIRST_WAIT_MS * 2 ** (tries - 1)), signal)
  signal?.throwIfAborted()
}

/** Ends early with the signal, whose own reason its caller throws, not the timer's. */
async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await sleep(ms, undefined, signal === undefined ? {} : { signal }).catch(() => {})
}

function waitOf({ waitMs }: Passing, tries: number): number {
  const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (tries - 1))
  const wait = Math.random() * longest
  // What needs no wait the first time is no reason to turn in a circle at full speed.
  if (waitMs === undefined || (waitMs === 0 && tries > 3)) return wait
  return Math.min(waitMs + (waitMs === 0 ? 0 : wait), LONGEST_WAIT_MS)
}

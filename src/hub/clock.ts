/** Time is handed in, so that tests of stalls and waits need none. */

export interface Clock {
  /** Gives milliseconds since some moment. */
  now(): number
  /** Rejects with the signal's own reason, at once, when aborted. */
  pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void>
  /**
   * Calls `action` once that much time has passed, unless the function that is returned was called before.
   */
  after(milliseconds: number, action: () => void): () => void
}

export const systemClock: Clock = {
  now: () => performance.now(),
  after(milliseconds, action) {
    const timer = setTimeout(action, milliseconds)
    return () => clearTimeout(timer)
  },
  async pause(milliseconds, signal) {
    signal?.throwIfAborted()
    await new Promise<void>((resolve, reject) => {
      const stop = () => {
        clearTimeout(timer)
        reject(signal?.reason)
      }
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', stop)
        resolve()
      }, milliseconds)
      signal?.addEventListener('abort', stop, { once: true })
    })
  },
}

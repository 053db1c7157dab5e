/** Tells the time, and waits: it is handed in, so that tests need not wait. */
export interface Clock {
  /** Gives milliseconds since some moment; it never goes back. */
  monotonic(): number
  /** Rejects with the signal's reason. A wait that is `idle` is no reason for a process to go on. */
  sleep(ms: number, signal?: AbortSignal, options?: { readonly idle?: boolean }): Promise<void>
}

export const systemClock: Clock = {
  monotonic: () => performance.now(),
  sleep: (ms, signal, { idle = false } = {}) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(signal.reason)
        return
      }
      const leave = () => {
        clearTimeout(timer)
        reject(signal?.reason)
      }
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', leave)
        resolve()
      }, ms)
      // Only Node's timers keep a process going.
      if (idle) (timer as { unref?: () => void }).unref?.()
      signal?.addEventListener('abort', leave, { once: true })
    }),
}

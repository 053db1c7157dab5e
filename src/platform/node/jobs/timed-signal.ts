/** Bounds the time of one piece of work, and leaves nothing of it with the signal of the whole. */

/** Is the reason of a signal whose time is over. */
export class TimeOver extends Error {
  override readonly name = 'TimeOver'
}

export function timedSignal(signal: AbortSignal, ms: number): Disposable & { readonly signal: AbortSignal } {
  const controller = new AbortController()
  const stop = () => controller.abort(signal.reason)
  const timer = setTimeout(() => controller.abort(new TimeOver(`it took longer than ${ms} ms`)), ms)
  signal.addEventListener('abort', stop, { once: true })
  if (signal.aborted) stop()
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      clearTimeout(timer)
      signal.removeEventListener('abort', stop)
    },
  }
}

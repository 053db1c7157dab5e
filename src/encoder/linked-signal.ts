/** Lets work end early for several reasons at once, and forgets them when it is done. */

export interface LinkedSignal extends Disposable {
  readonly signal: AbortSignal
}

/**
 * Aborts with `run`, or when each of the images' own signals has aborted; an image without one is always wanted. Disposing stops listening.
 *
 * `AbortSignal.any` would do the same, but what it makes stays with the signal of the run, which sees a million images come and go.
 */
export function linkedSignal(run: AbortSignal, own: readonly (AbortSignal | undefined)[]): LinkedSignal {
  const signals = own.filter((signal) => signal !== undefined)
  if (signals.length === 0 || signals.length < own.length) return { signal: run, [Symbol.dispose]() {} }
  const controller = new AbortController()
  const look = () => {
    if (run.aborted) controller.abort(run.reason)
    else if (signals.every(({ aborted }) => aborted)) controller.abort(signals[0]?.reason)
  }
  for (const signal of [run, ...signals]) signal.addEventListener('abort', look)
  look()
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      for (const signal of [run, ...signals]) signal.removeEventListener('abort', look)
    },
  }
}

/** Ends a try whose server sends nothing for too long. */
import type { Clock } from './clock.js'

export interface StallWatch {
  /** Aborts when the time is over. */
  readonly signal: AbortSignal
  /** Begins to wait (anew). */
  rearm(): void
  /** Stops waiting, as while bytes are written: a slow disk is not a stalled server. */
  rest(): void
}

export function watchStall(clock: Clock, milliseconds: number, reason: () => Error): StallWatch {
  const controller = new AbortController()
  let stop = () => {}
  const rearm = () => {
    stop()
    stop = clock.after(milliseconds, () => controller.abort(reason()))
  }
  return { signal: controller.signal, rearm, rest: () => stop() }
}

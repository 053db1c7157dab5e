/** Draws large pictures without keeping the person waiting who presses Ctrl-C. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { RgbImage } from '../../../image/image.js'
import type { DrawSteps } from '../../../picture/draw/draw-pixels.js'

/** So many milliseconds go by before it is looked whether somebody has given up. */
const TURN_MS = 50

/** Rejects with the signal's reason. */
export async function drawnInTurns(steps: DrawSteps, signal: AbortSignal): Promise<RgbImage> {
  let began = performance.now()
  for (;;) {
    const { done, value } = steps.next()
    if (done) return value
    if (performance.now() - began < TURN_MS) continue
    await nextTurn()
    signal.throwIfAborted()
    began = performance.now()
  }
}

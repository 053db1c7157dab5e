/** Resizes by the C++ kernels, on the threads that read files and decode images. */

import type { Passes, Resample, Taps } from '../../kernels/resample-pillow.js'
import { megabytes } from '../megabytes.js'
import type { Addon, InstructionSet } from './addon.js'
import { engineErrorOf, settling } from './addon-error.js'
import { chosenInstructionSet } from './chosen-instruction-set.js'

const NO_TAPS: Taps = {
  first: new Int32Array(),
  count: new Int32Array(),
  weights: new Int32Array(),
  stride: 0,
  bits: 1,
}

/**
 * @param instructionSet forces a path. Default: the fastest that this processor has
 * @throws `EngineError` `unavailable` without the instruction set; a resize may reject with `out-of-memory`
 */
export function createNativeResampleOn(addon: Addon, instructionSet?: InstructionSet): Resample {
  const chosen = chosenInstructionSet(addon, instructionSet)
  return async (image, [height, width], passes) => {
    const { horizontal, vertical, verticalFirst } = passes
    if (horizontal === null && vertical === null) return image
    const out = new Uint8Array(outputBytes(height, width, passes))
    const h = horizontal ?? NO_TAPS
    const v = vertical ?? NO_TAPS
    const resized = new Promise<void>((resolve, reject) => {
      const needed = (bytes: number) =>
        `Resizing an image of ${height} x ${width} pixels needs ${megabytes(bytes)}, which the system refuses.`
      const done = settling(resolve, reject, { needed })
      const arrays = [h.first, h.count, h.weights, v.first, v.count, v.weights]
      addon.resample(chosen, height, width, h.bits, v.bits, verticalFirst, [done, image, out, ...arrays])
    })
    try {
      await resized
    } catch (error) {
      throw engineErrorOf(error)
    }
    return out
  }
}

function outputBytes(height: number, width: number, { horizontal, vertical }: Passes): number {
  return (vertical?.first.length ?? height) * (horizontal?.first.length ?? width) * 3
}

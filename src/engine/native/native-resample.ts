/** Resizes by the C++ kernels, on the threads that read files and decode images. An image must stay where it is until its resize is done. */

import type { Passes, Resample, Taps } from '../../kernels/resample-pillow.js'
import { megabytes } from '../megabytes.js'
import type { Addon, InstructionSet } from './addon.js'
import { engineErrorOf, settling } from './addon-error.js'
import { chooseSet } from './choose-set.js'

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
  const { name: chosen } = chooseSet(addon, instructionSet)
  return async (image, [height, width], passes) => {
    const { horizontal, vertical, verticalFirst } = passes
    if (horizontal === null && vertical === null) return image
    const out = new Uint8Array(outputBytes(height, width, passes))
    const { bits, arrays } = tapsOfBoth(passes)
    const resized = new Promise<number>((resolve, reject) => {
      const needed = (bytes: number) =>
        `Resizing an image of ${height} x ${width} pixels needs ${megabytes(bytes)}, which the system refuses.`
      const done = settling(resolve, reject, { needed })
      addon.resample(chosen, height, width, ...bits, verticalFirst, [done, image, out, ...arrays])
    })
    try {
      await resized
    } catch (error) {
      throw engineErrorOf(error)
    }
    return out
  }
}

/** Counts the bytes of what the passes make; without any it is the image itself. */
export function outputBytes(height: number, width: number, passes: Passes | null): number {
  return (passes?.vertical?.first.length ?? height) * (passes?.horizontal?.first.length ?? width) * 3
}

/** Gives the taps of both axes as the addon takes them. */
export function tapsOfBoth(passes: Passes | null): {
  readonly bits: [horizontal: number, vertical: number]
  readonly arrays: readonly Int32Array[]
} {
  const h = passes?.horizontal ?? NO_TAPS
  const v = passes?.vertical ?? NO_TAPS
  return {
    bits: [h.bits, v.bits],
    arrays: [h.first, h.count, h.weights, v.first, v.count, v.weights],
  }
}

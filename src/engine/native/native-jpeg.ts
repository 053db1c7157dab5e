/**
 * Decodes JPEG by the libvips that sharp has loaded, called from the addon: strips of rows are resized as they come, so that the image as a whole is never in
 * memory. Its pixels are those that sharp gives of it.
 */
import type { Passes } from '../../kernels/resample-pillow.js'
import { megabytes } from '../megabytes.js'
import type { Addon, InstructionSet } from './addon.js'
import { engineErrorOf, settling } from './addon-error.js'
import { chooseSet } from './choose-set.js'
import { measureArguments, type PixelMeasures } from './native-measure.js'
import { outputBytes, tapsOfBoth } from './native-resample.js'

/** Is in pixels. */
type Size = readonly [height: number, width: number]

/** Says what is made of a JPEG. */
export interface JpegTask {
  /** Is the whole file. It must stay as it is until the task is done. */
  readonly file: Uint8Array
  /** Each side is decoded so many times smaller, rounded down. */
  readonly shrink: number
  /** Is the size that it is decoded at. */
  readonly size: Size
  /** Resize it; null leaves it as it is decoded. */
  readonly passes: Passes | null
  /** Is filled with what is measured of the image as it is decoded, before it is resized; default: nothing is. */
  readonly measures?: PixelMeasures | null
}

/** Gives uint8 [height, width, 3]; null where this is not the way to decode the file, or to resize it. */
export type DecodeJpeg = (task: JpegTask) => Promise<Uint8Array | null>

/** Tells whether rows can be resized as they come: both sides change, the width first. */
export function isStreamed({ horizontal, vertical, verticalFirst }: Passes): boolean {
  return horizontal !== null && vertical !== null && !verticalFirst
}

/**
 * @param library leads to the libvips that sharp has loaded
 * @throws `EngineError` `unavailable` without the instruction set; a task may reject with `out-of-memory`
 */
export function createNativeJpegOn(
  addon: Addon,
  library: string,
  instructionSet?: InstructionSet,
): DecodeJpeg {
  const { name: chosen } = chooseSet(addon, instructionSet)
  return async ({ file, shrink, size: [height, width], passes, measures = null }) => {
    if (passes !== null && !isStreamed(passes)) return null
    const out = new Uint8Array(outputBytes(height, width, passes))
    const { bits, arrays } = tapsOfBoth(passes)
    const measured = measureArguments(measures)
    const decoded = new Promise<number>((resolve, reject) => {
      const needed = (bytes: number) =>
        `Decoding an image of ${height} x ${width} pixels needs ${megabytes(bytes)}, which the system refuses.`
      const done = settling(resolve, reject, { needed })
      const kept: Parameters<Addon['decodeJpeg']>[10] = [done, file, out, ...arrays, ...measured.arrays]
      addon.decodeJpeg(chosen, library, shrink, height, width, ...bits, false, ...measured.numbers, kept)
    })
    try {
      return (await decoded) === 1 ? out : null
    } catch (error) {
      throw engineErrorOf(error)
    }
  }
}

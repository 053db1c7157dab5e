/** Measures images by the C++ kernels, on the threads that decode them: their digest, and a picture of averaged squares, of pixels that were read once for both. */
import { DIGEST_BLOCK, DIGEST_LANES } from '../../kernels/digest-words.js'
import { megabytes } from '../megabytes.js'
import type { Addon } from './addon.js'
import { engineErrorOf, settling } from './addon-error.js'
import { chooseSet } from './choose-set.js'

/** Says what is measured of an image as it is upright, and has the room for it. */
export interface PixelMeasures {
  /** Counts the rows of the upright image, in pixels. */
  readonly height: number
  /** Counts its columns, in pixels. */
  readonly width: number
  /** Says how the image is stored, 1 to 8 as EXIF numbers it. */
  readonly orientation: number
  /** Is the side of the squares that are averaged, in pixels. */
  readonly factor: number
  /** Become those of `digestWords` of all whole words. */
  readonly states: Int32Array
  /** Becomes uint8 [height / factor, width / factor, 3], both rounded down. */
  readonly averages: Uint8Array
  /** Becomes the bytes behind the last whole word. */
  readonly rest: Uint8Array
}

/** The sums of so many levels fit 16 bits. */
const MOST_AVERAGED = 256

/**
 * Makes the room for what is measured; null where the kernels do not average such squares.
 *
 * @param stored is the size of the image as it is stored, in pixels
 */
export function roomForMeasures(
  stored: { readonly height: number; readonly width: number },
  orientation: number,
  factor: number,
): PixelMeasures | null {
  const isTurned = orientation >= 2 && orientation <= 8
  const liesAcross = isTurned && orientation >= 5
  const [height, width] = liesAcross ? [stored.width, stored.height] : [stored.height, stored.width]
  if (factor > MOST_AVERAGED) return null
  const bytes = height * width * 3
  const blocks = Math.ceil(Math.floor(bytes / 4) / DIGEST_BLOCK)
  return {
    height,
    width,
    orientation: isTurned ? orientation : 1,
    factor,
    states: new Int32Array(blocks * 2 * DIGEST_LANES),
    averages: new Uint8Array(Math.floor(height / factor) * Math.floor(width / factor) * 3),
    rest: new Uint8Array(bytes % 4),
  }
}

/** Gives the arguments of the addon's functions: nothing is measured where there is no room. */
export function measureArguments(measures: PixelMeasures | null) {
  const { orientation = 1, factor = 0 } = measures ?? {}
  const arrays = [
    measures?.states ?? new Int32Array(),
    measures?.averages ?? new Uint8Array(),
    measures?.rest ?? new Uint8Array(),
  ] as const
  return { numbers: [orientation, factor] as const, arrays }
}

/** Measures an image that is in memory, uint8 [height, width, 3] as it is stored. It must stay as it is meanwhile. */
export type MeasurePixels = (image: Uint8Array, measures: PixelMeasures) => Promise<void>

/** The promise of what it gives may reject with `EngineError` `out-of-memory`. */
export function createNativeMeasureOn(addon: Addon): MeasurePixels {
  const { name: chosen } = chooseSet(addon)
  return async (image, measures) => {
    const { height, width, orientation } = measures
    const stored = orientation >= 5 ? ([width, height] as const) : ([height, width] as const)
    const { numbers, arrays } = measureArguments(measures)
    const needed = (bytes: number) =>
      `Measuring an image of ${height} x ${width} pixels needs ${megabytes(bytes)}, which the system refuses.`
    try {
      await new Promise<number>((resolve, reject) => {
        const done = settling(resolve, reject, { needed })
        addon.measurePixels(chosen, ...stored, ...numbers, [done, image, ...arrays])
      })
    } catch (error) {
      throw engineErrorOf(error)
    }
  }
}

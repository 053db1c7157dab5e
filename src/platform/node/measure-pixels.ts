/**
 * Measures photos as people see them: how large they are, which pixels they have, and what is left of them at the size at which photos are compared. Photos that an
 * encoder decodes are measured on their way (watched-file.ts).
 */
import {
  createNativeMeasureOn,
  type PixelMeasures,
  roomForMeasures,
} from '../../engine/native/native-measure.js'
import { createNativeResampleOn } from '../../engine/native/native-resample.js'
import type { DecodedImage } from '../../image/image.js'
import { turnUpright } from '../../image/turn-upright.js'
import type { Resample } from '../../kernels/resample-pillow.js'
import { MEASURED_LONGEST } from '../../numerics/photo-quality.js'
import { averagedSide, type RgbPixels, reduceAveraged, reducePixels } from '../../numerics/reduce-pixels.js'
import { fastestDigest } from './fastest-digest.js'
import { addonOrReason } from './native/load-addon.js'
import { digestOfPixels, digestOfStates } from './pixel-digest.js'

/** Is what is measured of the pixels of a photo, which is upright. */
export interface MeasuredPixels {
  /** Counts the rows, in pixels. */
  readonly height: number
  /** Counts the columns, in pixels. */
  readonly width: number
  /** Is what `digestOfPixels` gives. */
  readonly digest: string
  /** Is what `reducePixels` gives for a longer side of `MEASURED_LONGEST`. */
  readonly reduced: RgbPixels
}

/** Measures an image, which may lie as its file has it. It must stay as it is meanwhile. */
export type Measure = (image: DecodedImage) => Promise<MeasuredPixels>

/** Finds the fastest way there is to measure images: all ways give the same. */
export function fastestMeasure(): Measure {
  const addon = addonOrReason()
  const words = fastestDigest()
  const measurePixels = typeof addon === 'string' ? null : createNativeMeasureOn(addon)
  const resample = typeof addon === 'string' ? null : createNativeResampleOn(addon)
  return async (image) => {
    const room = roomFor(image, image.upright ? 1 : image.orientation)
    if (room !== null && measurePixels !== null && resample !== null) {
      await measurePixels(image.data, room)
      return await measuredFrom(room, resample)
    }
    const upright = image.upright ? image : turnUpright(image, image.orientation)
    const digest = await digestOfPixels(upright, words)
    const { height, width } = upright
    return { height, width, digest, reduced: reducePixels(upright, MEASURED_LONGEST) }
  }
}

/** Makes the room for what the kernels measure of an image; null where they do not. */
export function roomFor(
  stored: { readonly height: number; readonly width: number },
  orientation: number,
): PixelMeasures | null {
  return roomForMeasures(stored, orientation, averagedSide(stored, MEASURED_LONGEST))
}

/** Makes of what the kernels have measured what is told of it. */
export async function measuredFrom(measures: PixelMeasures, resample: Resample): Promise<MeasuredPixels> {
  const { height, width, factor, states, rest, averages } = measures
  const averaged = { height: Math.floor(height / factor), width: Math.floor(width / factor), data: averages }
  return {
    height,
    width,
    digest: digestOfStates({ height, width }, states, rest),
    reduced: await reduceAveraged(averaged, MEASURED_LONGEST, resample),
  }
}

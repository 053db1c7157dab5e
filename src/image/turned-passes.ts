/**
 * Resizes an image as it is stored so that it comes out as if it had been turned upright before: what is turned is the small result, and not a photo of many
 * megapixels. Sums of integers have no order, so not a bit differs.
 */
import type { Passes, Taps } from '../kernels/resample-pillow.js'

/** Is in pixels. */
type Size = readonly [height: number, width: number]

/** Says how an upright image's passes go over the stored one. */
export interface TurnedPasses {
  readonly passes: Passes
  /** Tells that rows of the result are columns of the upright one. */
  readonly isTransposed: boolean
}

/** Names the EXIF orientations whose upright columns, or rows, run against those of what is stored. */
const COLUMNS_MIRRORED: readonly number[] = [2, 3, 6, 7]
const ROWS_MIRRORED: readonly number[] = [3, 4, 7, 8]

/**
 * Gives null where a side keeps its length and would have to be mirrored by itself.
 *
 * @param size is that of the upright image before it is resized
 */
export function turnedPasses(
  { horizontal, vertical, verticalFirst }: Passes,
  [height, width]: Size,
  orientation: number,
): TurnedPasses | null {
  const alongWidth = mirroredIf(COLUMNS_MIRRORED.includes(orientation), horizontal, width)
  const alongHeight = mirroredIf(ROWS_MIRRORED.includes(orientation), vertical, height)
  if (alongWidth === undefined || alongHeight === undefined) return null
  const isTransposed = orientation >= 5
  const passes = isTransposed
    ? { horizontal: alongHeight, vertical: alongWidth, verticalFirst: !verticalFirst }
    : { horizontal: alongWidth, vertical: alongHeight, verticalFirst }
  return { passes, isTransposed }
}

/** Gives undefined where there are no taps to mirror. */
function mirroredIf(isMirrored: boolean, taps: Taps | null, inputs: number): Taps | null | undefined {
  if (!isMirrored) return taps
  return taps === null ? undefined : mirrored(taps, inputs)
}

/** Takes the inputs from the other end. Outputs keep their order. */
function mirrored(taps: Taps, inputs: number): Taps {
  const { count, stride } = taps
  const first = taps.first.map((from, i) => inputs - from - (count[i] ?? 0))
  const weights = new Int32Array(taps.weights.length)
  count.forEach((used, i) => {
    weights.set(taps.weights.slice(i * stride, i * stride + used).reverse(), i * stride)
  })
  return { ...taps, first, weights }
}

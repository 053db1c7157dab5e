/** Makes pixels of patches' values, after they have been projected to a few numbers: whole features at the size of a photo would fit into no memory. */
import type { RgbImage } from '../image/image.js'
import type { PatchGrid } from '../model/positions.js'
import {
  bicubicRows,
  evenAxes,
  jointBilateralRows,
  type PixelAxes,
  type PixelRows,
} from '../numerics/upsample-grid.js'
import { PictureError } from './picture-error.js'

/** Bounds the numbers of a pixel. */
export const MOST_UPSAMPLED_CHANNELS = 16

/** Lists the ways in which values of patches become values of pixels. */
export const UPSAMPLINGS = ['bicubic', 'joint-bilateral'] as const
/**
 * Names a way in which values of patches become values of pixels.
 *
 * - `bicubic`: Keys' cubic with a = -0.75, as torch's; it may go a little beyond the values that there were.
 * - `joint-bilateral`: near patches whose colour is like the pixel's (Kopf et al., Joint bilateral upsampling, 2007), with deviations of half a patch and of a
 *   tenth of the colours' range, over 5 x 5 patches.
 */
export type Upsampling = (typeof UPSAMPLINGS)[number]

/** Holds values of patches, and where they lie. */
export interface GridValues {
  /** float32 [rows * columns, C], C of at most 16: components, or a score. */
  readonly values: Float32Array
  /** Counts rows and columns of the patches. */
  readonly grid: PatchGrid
}

/**
 * Upsamples values to the pixels of `guide`, which is the part of the photo that the patches cover, into float32 [height, width, C]. Throws `PictureError`:
 * `too-large` for more than 16 numbers a patch, `nothing-there` for values that are none of the grid or an empty photo, `unknown-setting` for a way that there is not.
 */
export function upsample(given: GridValues, guide: RgbImage, way: Upsampling): Float32Array {
  const { grid, values } = given
  const axes = evenAxes([grid.rows, grid.columns], [guide.height, guide.width])
  const rowAt = pixelRows(given, guide, axes, way)
  const rowLength = (guide.width * values.length) / (grid.rows * grid.columns)
  const out = new Float32Array(guide.height * rowLength)
  for (let y = 0; y < guide.height; y++) out.set(rowAt(y), y * rowLength)
  return out
}

/**
 * Upsamples a row of pixels at a time, for pixels that lie anywhere on the patches. Throws as `upsample` does.
 *
 * @param guide holds the pixels that `axes` places, and no others
 */
export function pixelRows(
  { values, grid }: GridValues,
  guide: RgbImage,
  axes: PixelAxes,
  way: Upsampling,
): PixelRows {
  const channels = values.length / (grid.rows * grid.columns)
  if (!(Number.isInteger(channels) && channels > 0 && guide.height > 0 && guide.width > 0))
    throw new PictureError(
      'nothing-there',
      `${values.length} values of ${grid.rows} x ${grid.columns} patches make no ${guide.width} x ${guide.height} pixels.`,
    )
  if (channels > MOST_UPSAMPLED_CHANNELS)
    throw new PictureError(
      'too-large',
      `${channels} numbers a patch are too many for each pixel: project them to at most ${MOST_UPSAMPLED_CHANNELS} first, or to a score.`,
    )
  const table = { values, size: [grid.rows, grid.columns] } as const
  if (way === 'bicubic') return bicubicRows(table, axes)
  if (way === 'joint-bilateral') return jointBilateralRows(table, axes, guide.data)
  throw new PictureError(
    'unknown-setting',
    `There is no upsampling ${way}: there are ${UPSAMPLINGS.join(', ')}.`,
  )
}

/** Reads a mask as people draw one: a picture as large as the photo, light where the place is. */
import { ImageError } from '../../../image/image-error.js'
import { UsageError } from '../../cli-error.js'
import type { CommandContext } from '../../context.js'
import { decodeLimitsOf } from './photo-encoder.js'
import type { PairOptions } from './picture-options.js'

/** Grey as dark as this, and all that is darker, is none of the place. */
const DARK = 127

/**
 * Gives uint8 [height, width] of the photo, 1 where the place is. Throws `UsageError` for a file that is no picture, one of another size, and one in which nothing
 * is light.
 */
export async function maskIn(
  { files, pictures, signal }: CommandContext,
  given: string,
  {
    path,
    imageSize: [height, width],
  }: { readonly path: string; readonly imageSize: readonly [number, number] },
  options: PairOptions,
): Promise<Uint8Array> {
  const picture = await pictures
    .decode(files.resolve(given), { ...decodeLimitsOf(options), signal })
    .catch((error: unknown) => {
      throw error instanceof ImageError ? new UsageError(`--mask ${given}: ${error.message}`) : error
    })
  if (picture.height !== height || picture.width !== width)
    throw new UsageError(
      `--mask ${given} is ${picture.width} pixels wide and ${picture.height} high, and ${path} is ${width} and ${height}: give a picture as large as the photo, light where the place is.`,
    )
  const mask = new Uint8Array(height * width)
  for (let pixel = 0; pixel < mask.length; pixel++) {
    const [red = 0, green = 0, blue = 0] = picture.data.subarray(3 * pixel, 3 * pixel + 3)
    mask[pixel] = red + green + blue > 3 * DARK ? 1 : 0
  }
  if (mask.includes(1)) return mask
  throw new UsageError(`--mask ${given} has nothing in it that is light, as the place should be.`)
}

/** Reduces photos before they are measured or compared, so that a photo of many megapixels takes little longer than a small one, and makes them grey. */
import { resamplePillow } from '../kernels/resample-pillow.js'

/** Is 8-bit RGB, [height, width, 3], row by row from the top left. */
export interface RgbPixels {
  /** Counts the rows, in pixels. */
  readonly height: number
  /** Counts the columns, in pixels. */
  readonly width: number
  /** uint8 [height, width, 3]. */
  readonly data: Uint8Array
}

/** Is one value a pixel, [height, width], from 0 to 255. */
export interface GreyPixels {
  /** Counts the rows, in pixels. */
  readonly height: number
  /** Counts the columns, in pixels. */
  readonly width: number
  /** [height, width] */
  readonly data: Float32Array
}

/**
 * Gives the photo with a longer side of at most `longest`; a smaller one is given as it is. Whole pixels are averaged first, as many as leave at least `longest`, which
 * reads a large photo once; Pillow's box filter does the rest.
 */
export function reducePixels(image: RgbPixels, longest: number): RgbPixels {
  const side = Math.max(image.height, image.width)
  if (side <= longest) return image
  const averaged = averageBlocks(image, Math.floor(side / longest))
  const scale = longest / Math.max(averaged.height, averaged.width)
  return resizePixels(averaged, averaged.height * scale, averaged.width * scale)
}

/** Gives the photo at another size, rounded to whole pixels of at least one, with Pillow's box filter where it shrinks and its bicubic one where it grows. */
export function resizePixels(image: RgbPixels, newHeight: number, newWidth: number): RgbPixels {
  const [height, width] = [Math.max(1, Math.round(newHeight)), Math.max(1, Math.round(newWidth))]
  const filter = height * width <= image.height * image.width ? 'box' : 'bicubic'
  const data = resamplePillow(image.data, [image.height, image.width], [height, width], { filter })
  return { height, width, data }
}

/** Averages squares of `factor` pixels a side. Less than a square at the right and below is left out: it is less than a pixel of what comes of it. */
function averageBlocks(image: RgbPixels, factor: number): RgbPixels {
  const [height, width] = [Math.floor(image.height / factor), Math.floor(image.width / factor)]
  if (factor <= 1 || height === 0 || width === 0) return image
  const { data } = image
  const averages = new Uint8Array(height * width * 3)
  const sums = new Uint32Array(width * 3)
  const count = factor * factor
  for (let row = 0; row < height; row++) {
    sums.fill(count >> 1)
    for (let inner = 0; inner < factor; inner++) {
      let at = (row * factor + inner) * image.width * 3
      for (let out = 0; out < sums.length; out += 3) {
        let [red, green, blue] = [0, 0, 0]
        for (let i = 0; i < factor; i++, at += 3) {
          red += data[at]
          green += data[at + 1]
          blue += data[at + 2]
        }
        sums[out] += red
        sums[out + 1] += green
        sums[out + 2] += blue
      }
    }
    for (let out = 0; out < sums.length; out++) averages[row * sums.length + out] = sums[out] / count
  }
  return { height, width, data: averages }
}

/** Gives the brightness of each pixel as ITU-R BT.601 weighs colours, unrounded. */
export function greyOf({ height, width, data }: RgbPixels): GreyPixels {
  const grey = new Float32Array(height * width)
  for (let at = 0, i = 0; at < grey.length; at++, i += 3)
    grey[at] = 0.299 * data[i] + 0.587 * data[i + 1] + 0.114 * data[i + 2]
  return { height, width, data: grey }
}

/** Reduces photos before they are measured or compared, so that a photo of many megapixels takes little longer than a small one, and makes them grey. */
import { type Passes, pillowPasses, type Resample, resamplePillow } from '../kernels/resample-pillow.js'

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
 * Gives the photo with a longer side of at most `longest`; a smaller one is given as it is. Squares of whole pixels are averaged first, as large as leave at least
 * `longest`, which reads a large photo once; Pillow's box filter does the rest.
 */
export function reducePixels(image: RgbPixels, longest: number): RgbPixels {
  if (Math.max(image.height, image.width) <= longest) return image
  const averaged = averageSquares(image, averagedSide(image, longest))
  const [height, width] = reducedSize(averaged, longest)
  return resizePixels(averaged, height, width)
}

/** Does the rest of `reducePixels` with another resampler, of a photo whose squares have been averaged; gives the same. */
export async function reduceAveraged(
  averaged: RgbPixels,
  longest: number,
  resample: Resample,
): Promise<RgbPixels> {
  const size = [averaged.height, averaged.width] as const
  const [height, width] = reducedSize(averaged, longest)
  return { height, width, data: await resample(averaged.data, size, passesTo(size, [height, width])) }
}

/** Says of how many pixels a side the squares are that `reducePixels` averages: 1 where there are none. */
export function averagedSide({ height, width }: Omit<RgbPixels, 'data'>, longest: number): number {
  const side = Math.max(1, Math.floor(Math.max(height, width) / longest))
  // A strip that is narrower than a square has none.
  return Math.min(height, width) < side ? 1 : side
}

function reducedSize({ height, width }: RgbPixels, longest: number): Size {
  const side = Math.max(height, width)
  const scale = side <= longest ? 1 : longest / side
  return [roundedSide(height * scale), roundedSide(width * scale)]
}

type Size = readonly [height: number, width: number]

function roundedSide(side: number): number {
  return Math.max(1, Math.round(side))
}

/** Gives the photo at another size, rounded to whole pixels of at least one, with Pillow's box filter where it shrinks and its bicubic one where it grows. */
export function resizePixels(image: RgbPixels, newHeight: number, newWidth: number): RgbPixels {
  const size = [image.height, image.width] as const
  const newSize = [roundedSide(newHeight), roundedSide(newWidth)] as const
  const data = resamplePillow(image.data, size, newSize, { filter: filterTo(size, newSize) })
  return { height: newSize[0], width: newSize[1], data }
}

function filterTo([height, width]: Size, [newHeight, newWidth]: Size): 'box' | 'bicubic' {
  return newHeight * newWidth <= height * width ? 'box' : 'bicubic'
}

function passesTo(size: Size, newSize: Size): Passes {
  return pillowPasses(size, newSize, 'pillow-13', filterTo(size, newSize))
}

/** Averages squares of so many pixels a side. Less than a square at the right and below is left out: it is less than a pixel of what comes of it. */
export function averageSquares(image: RgbPixels, side: number): RgbPixels {
  if (side <= 1) return image
  const [height, width] = [Math.floor(image.height / side), Math.floor(image.width / side)]
  const { data } = image
  const averages = new Uint8Array(height * width * 3)
  const sums = new Uint32Array(width * 3)
  const count = side * side
  for (let row = 0; row < height; row++) {
    sums.fill(count >> 1)
    for (let inner = 0; inner < side; inner++) {
      let at = (row * side + inner) * image.width * 3
      for (let out = 0; out < sums.length; out += 3) {
        let red = 0
        let green = 0
        let blue = 0
        for (let i = 0; i < side; i++, at += 3) {
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

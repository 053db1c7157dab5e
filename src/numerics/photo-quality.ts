/**
 * Measures how good a photo is as a photo: sharp, well lit, with something on it. It is measured on a reduced picture of the same size for all photos, so that a
 * large photo and its small copy come out alike and a photo of 12 megapixels takes no longer than reading it.
 */
import { type GreyPixels, type RgbPixels, reducePixels } from './reduce-pixels.js'

/** Is what is measured of a photo. */
export interface PhotoQuality {
  /**
   * Is the variance of the Laplacian (the sum of the four neighbours less four times the pixel, grey values from 0 to 255) in the sharpest of 4 x 4 parts of the photo: a
   * portrait before a blurred background is a sharp photo.
   */
  readonly sharpness: number
  /** Is the mean brightness, 0 (black) to 1 (white): sqrt(0.241 R^2 + 0.691 G^2 + 0.068 B^2), as cleanvision has it. */
  readonly brightness: number
  /** Is the brightness that 5 % of the pixels do not reach. */
  readonly brightness5: number
  /** Is the brightness that 99 % of the pixels do not exceed. */
  readonly brightness99: number
  /** Is the share of pixels whose brightest colour is at most 4 of 255: nothing can be seen in them. */
  readonly clippedDark: number
  /** Is the share of pixels whose darkest colour is at least 251 of 255. */
  readonly clippedBright: number
  /** Is the entropy of the 256 grey levels in bits, 0 (one level) to 8. */
  readonly entropy: number
  /** Is 0 for a grey photo, about 30 for a moderately and above 80 for a very colourful one (Hasler and Süsstrunk 2003, "Measuring Colourfulness in Natural Images"). */
  readonly colourfulness: number
}

/** Is the longer side of the picture that is measured, in pixels: whoever measures more than this reduces a photo to it once. */
export const MEASURED_LONGEST = 512
const TILES = 4

/** Measures upright pixels, uint8 [height, width, 3]. */
export function photoQuality(image: RgbPixels): PhotoQuality {
  const reduced = reducePixels(image, MEASURED_LONGEST)
  const { grey, ...measured } = measureLevels(reduced)
  return { sharpness: sharpestTile(grey), ...measured }
}

/** Measures what needs each pixel once, in one pass: it is done for each photo of a collection. */
function measureLevels({ height, width, data }: RgbPixels) {
  const grey = new Float32Array(height * width)
  const levels = new Uint32Array(1024)
  const greys = new Uint32Array(256)
  // Taken out of an array they would take twice the time.
  let sum = 0
  let dark = 0
  let bright = 0
  let sumA = 0
  let sumB = 0
  let squareA = 0
  let squareB = 0
  for (let at = 0, i = 0; at < grey.length; at++, i += 3) {
    const r = data[i]
    const g = data[i + 1]
    const b = data[i + 2]
    const value = Math.sqrt(0.241 * r * r + 0.691 * g * g + 0.068 * b * b) / 255
    sum += value
    levels[Math.min(1023, (value * 1024) | 0)]++
    if (r <= 4 && g <= 4 && b <= 4) dark++
    else if (r >= 251 && g >= 251 && b >= 251) bright++
    const level = Math.fround(0.299 * r + 0.587 * g + 0.114 * b)
    grey[at] = level
    greys[(level + 0.5) | 0]++
    const redGreen = r - g
    const yellowBlue = 0.5 * (r + g) - b
    sumA += redGreen
    sumB += yellowBlue
    squareA += redGreen * redGreen
    squareB += yellowBlue * yellowBlue
  }
  const count = grey.length
  const [meanA, meanB] = [sumA / count, sumB / count]
  const variance = squareA / count - meanA ** 2 + squareB / count - meanB ** 2
  return {
    grey: { height, width, data: grey },
    brightness: sum / count,
    brightness5: levelBelow(levels, 0.05 * count),
    brightness99: levelBelow(levels, 0.99 * count),
    clippedDark: dark / count,
    clippedBright: bright / count,
    entropy: entropyOf(greys, count),
    colourfulness: Math.sqrt(Math.max(0, variance)) + 0.3 * Math.hypot(meanA, meanB),
  }
}

function sharpestTile({ height, width, data }: GreyPixels): number {
  const [counts, sums, squares] = [TILES * TILES, TILES * TILES, TILES * TILES].map(
    (n) => new Float64Array(n),
  )
  // A row belongs to one row of parts, and so do columns.
  const columns = Int32Array.from({ length: width }, (_, x) => Math.floor((x * TILES) / width))
  for (let y = 1; y < height - 1; y++) {
    const first = Math.floor((y * TILES) / height) * TILES
    for (let x = 1, at = y * width + 1; x < width - 1; x++, at++) {
      const value = data[at - 1] + data[at + 1] + data[at - width] + data[at + width] - 4 * data[at]
      const tile = first + columns[x]
      counts[tile]++
      sums[tile] += value
      squares[tile] += value * value
    }
  }
  let most = 0
  for (let tile = 0; tile < counts.length; tile++)
    if (counts[tile] >= 4)
      most = Math.max(most, squares[tile] / counts[tile] - (sums[tile] / counts[tile]) ** 2)
  return most
}

/** Gives the brightness under which lie so many pixels, to a thousandth. */
function levelBelow(levels: Uint32Array, rank: number): number {
  let [level, seen] = [0, levels[0]]
  while (seen < rank && level < levels.length - 1) seen += levels[++level]
  return (level + 0.5) / levels.length
}

function entropyOf(levels: Uint32Array, count: number): number {
  let bits = 0
  for (const some of levels) if (some > 0) bits -= (some / count) * Math.log2(some / count)
  return Math.max(0, bits)
}

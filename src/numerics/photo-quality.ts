/**
 * Measures how good a photo is as a photo: sharp, well lit, with something on it. It is measured on a reduced picture of the same size for all photos, so that a
 * large photo and its small copy come out alike and a photo of 12 megapixels takes no longer than reading it.
 */
import { type GreyPixels, greyOf, type RgbPixels, reducePixels } from './reduce-pixels.js'

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
  const grey = greyOf(reduced)
  return {
    sharpness: sharpestTile(grey),
    ...brightnessOf(reduced),
    entropy: entropyOf(grey),
    colourfulness: colourfulnessOf(reduced),
  }
}

function sharpestTile({ height, width, data }: GreyPixels): number {
  const tiles = Array.from({ length: TILES * TILES }, () => ({ count: 0, sum: 0, squares: 0 }))
  for (let y = 1; y < height - 1; y++)
    for (let x = 1; x < width - 1; x++) {
      const at = y * width + x
      const value = data[at - 1] + data[at + 1] + data[at - width] + data[at + width] - 4 * data[at]
      const tile = tiles[Math.floor((y * TILES) / height) * TILES + Math.floor((x * TILES) / width)]
      tile.count++
      tile.sum += value
      tile.squares += value * value
    }
  return Math.max(
    0,
    ...tiles.map(({ count, sum, squares }) => (count < 4 ? 0 : squares / count - (sum / count) ** 2)),
  )
}

function brightnessOf({ data }: RgbPixels) {
  const count = data.length / 3
  const levels = new Uint32Array(1024)
  let [sum, dark, bright] = [0, 0, 0]
  for (let i = 0; i < data.length; i += 3) {
    const [r, g, b] = [data[i], data[i + 1], data[i + 2]]
    const value = Math.sqrt(0.241 * r * r + 0.691 * g * g + 0.068 * b * b) / 255
    sum += value
    levels[Math.min(1023, Math.floor(value * 1024))]++
    if (Math.max(r, g, b) <= 4) dark++
    if (Math.min(r, g, b) >= 251) bright++
  }
  return {
    brightness: sum / count,
    brightness5: levelBelow(levels, 0.05 * count),
    brightness99: levelBelow(levels, 0.99 * count),
    clippedDark: dark / count,
    clippedBright: bright / count,
  }
}

/** Gives the brightness under which lie so many pixels, to a thousandth. */
function levelBelow(levels: Uint32Array, rank: number): number {
  let [level, seen] = [0, levels[0]]
  while (seen < rank && level < levels.length - 1) seen += levels[++level]
  return (level + 0.5) / levels.length
}

function entropyOf({ data }: GreyPixels): number {
  const levels = new Uint32Array(256)
  for (const value of data) levels[Math.round(value)]++
  let bits = 0
  for (const count of levels) if (count > 0) bits -= (count / data.length) * Math.log2(count / data.length)
  return Math.max(0, bits)
}

function colourfulnessOf({ data }: RgbPixels): number {
  const count = data.length / 3
  let [sumA, sumB, squareA, squareB] = [0, 0, 0, 0]
  for (let i = 0; i < data.length; i += 3) {
    const a = data[i] - data[i + 1]
    const b = 0.5 * (data[i] + data[i + 1]) - data[i + 2]
    sumA += a
    sumB += b
    squareA += a * a
    squareB += b * b
  }
  const [meanA, meanB] = [sumA / count, sumB / count]
  const variance = squareA / count - meanA ** 2 + squareB / count - meanB ** 2
  return Math.sqrt(Math.max(0, variance)) + 0.3 * Math.hypot(meanA, meanB)
}

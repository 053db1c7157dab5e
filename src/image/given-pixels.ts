/** Takes pixels that a caller has already: grey, grey with alpha, RGB or RGBA, as canvases, sharp and most libraries hand them out. */
import { rgbFrom8Bits, rgbOnWhite } from '../kernels/to-rgb.js'
import type { DecodedImage, RgbImage } from './image.js'
import { ImageError } from './image-error.js'
import type { Transparency } from './preparation.js'
import { turnUpright } from './turn-upright.js'

/** Holds 8-bit levels row by row from the top left; `ImageData` is one. */
export interface PixelImage {
  /** Counts the rows, in pixels. */
  readonly height: number
  /** Counts the columns, in pixels. */
  readonly width: number
  /** uint8 [height, width, channels]. */
  readonly data: Uint8Array | Uint8ClampedArray
  /** 1 is grey, 2 grey with alpha, 3 RGB, 4 RGBA; default: what the length comes to. Of alpha becomes what the recipe says, as where a file is decoded. */
  readonly channels?: number
}

/** Is what `decodeImage` gave, perhaps: then it still says how its file lay. */
export type GivenPixels = PixelImage & Partial<Omit<DecodedImage, keyof RgbImage>>

/** Tells pixels from other things that have a size, such as images of a page. */
export function isPixelImage(source: unknown): source is PixelImage {
  if (typeof source !== 'object' || source === null) return false
  const { data, height, width } = source as Partial<Record<keyof PixelImage, unknown>>
  return ArrayBuffer.isView(data) && typeof height === 'number' && typeof width === 'number'
}

export interface GivenOptions {
  readonly orientation?: 'apply' | 'ignore'
  readonly transparency?: Transparency
}

/**
 * Gives pixels that count as upright, unless they were decoded here and still say how they lie. Throws `ImageError` `wrong-shape`; TypeError for
 * levels that are not of 8 bits.
 */
export function decodedFromPixels(
  source: GivenPixels,
  { orientation = 'apply', transparency = 'drop' }: GivenOptions = {},
): DecodedImage {
  const { format = 'raw', orientation: found = 1, upright = true, transparentColour } = source
  const image = rgbFromPixels(source, transparency)
  const isTurned = orientation === 'apply' && !upright
  return {
    ...(isTurned ? turnUpright(image, found) : image),
    format,
    orientation: found,
    upright: upright || isTurned,
    ...(transparentColour === undefined ? {} : { transparentColour }),
  }
}

const givenAway = new WeakSet<PixelImage>()

/** Says that nobody else reads or writes these pixels any more, so that they need not be copied. Gives the same image. */
export function giveAway<Image extends PixelImage>(image: Image): Image {
  givenAway.add(image)
  return image
}

function rgbFromPixels(source: PixelImage, transparency: Transparency): RgbImage {
  const { data, height, width, channels } = source
  if (!(data instanceof Uint8Array || data instanceof Uint8ClampedArray)) {
    const found = Object.prototype.toString.call(data).slice(8, -1)
    throw new TypeError(
      `The levels of an image are 0 to 255 in a Uint8Array or Uint8ClampedArray, got a ${found}. Scale them first.`,
    )
  }
  if (!(Number.isInteger(height) && Number.isInteger(width) && height > 0 && width > 0)) {
    throw new ImageError(
      'wrong-shape',
      `An image has whole numbers of pixels, at least 1 each way; got height ${height} and width ${width}.`,
    )
  }
  const found = channels ?? data.length / (height * width)
  if (![1, 2, 3, 4].includes(found) || data.length !== height * width * found) {
    throw new ImageError(
      'wrong-shape',
      `An image of ${height} x ${width} pixels has ${height * width} x ${channels ?? '1, 2, 3 or 4'} values ` +
        `(grey, grey with alpha, RGB or RGBA), got ${data.length}.`,
    )
  }
  const levels = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  // The levels are read later, on other threads: whoever gave them may write over them or transfer them away meanwhile.
  if (found === 3) return { height, width, data: givenAway.has(source) ? levels : levels.slice() }
  const rgb = rgbFrom8Bits(levels, found)
  const isLaid = transparency === 'white' && found !== 1
  return { height, width, data: isLaid ? rgbOnWhite(rgb, levels, found, found - 1) : rgb }
}

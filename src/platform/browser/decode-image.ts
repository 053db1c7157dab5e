/**
 * Decodes photos in a browser: `createImageBitmap` decodes, nothing more. Its colour conversion, premultiplication and turning are off; resizing,
 * cropping and turning are this library's own, so that pixels are those that Node gives: to the bit for 8-bit PNG, and for JPEG as far as the
 * browser's decoder agrees with libjpeg-turbo. Formats of more than 8 bits and CMYK are converted by the browser, in its own way.
 */
import { checkOptionNames, type OptionNames } from '../../encoder/check-options.js'
import { assertNotTooLarge, DEFAULT_MAX_PIXELS, decodableFormat } from '../../image/decodable.js'
import type { DecodedImage } from '../../image/image.js'
import { ImageError } from '../../image/image-error.js'
import { readHeader, withoutOrientation } from '../../image/read-header.js'
import { type Colour, gifColoursOrNull, transparentColourOfPng } from '../../image/transparent-colour.js'
import { turnUpright } from '../../image/turn-upright.js'
import { rgbFrom8Bits, rgbOnColour } from '../../kernels/to-rgb.js'
import { AS_STORED, readPixels } from './read-pixels.js'

export interface DecodeOptions {
  /** Says whether to turn the image as its EXIF orientation says; the default is `apply`. */
  readonly orientation?: 'apply' | 'ignore'
  /** Larger images are refused, most of them before they are decoded; the default is 268 million pixels. */
  readonly maxPixels?: number
  readonly signal?: AbortSignal
}

const DECODE_OPTIONS = {
  orientation: true,
  maxPixels: true,
  signal: true,
} satisfies OptionNames<DecodeOptions>

const BLACK: Colour = [0, 0, 0]

/** Decodes JPEG, PNG, WebP, GIF (its first frame) and what else the browser knows into 8-bit RGB. Throws `ImageError`; the signal's reason. */
export async function decodeImage(
  source: Blob | Uint8Array,
  options: DecodeOptions = {},
): Promise<DecodedImage> {
  checkOptionNames(options, DECODE_OPTIONS)
  const { orientation = 'apply', maxPixels = DEFAULT_MAX_PIXELS, signal } = options
  const label = source instanceof File ? source.name : 'the image'
  signal?.throwIfAborted()
  const bytes = source instanceof Blob ? await bytesOf(source, label) : source
  const format = decodableFormat(bytes, label)
  const header = readHeader(bytes, format)
  if (header.size !== null) assertNotTooLarge(header.size, maxPixels, label)
  signal?.throwIfAborted()
  // Chromium turns what a file says is lying, whatever it is told: so the file is made to say nothing.
  const file = new Blob([withoutOrientation(bytes, header)], { type: `image/${format}` })
  const bitmap = await decode(file, label, format)
  try {
    signal?.throwIfAborted()
    const { width, height } = bitmap
    assertNotTooLarge(bitmap, maxPixels, label)
    const rgba = new Uint8Array((await readPixels(bitmap, header.mayHaveAlpha)).buffer)
    const gif = format === 'gif' ? gifColoursOrNull(bytes) : null
    const data = format === 'gif' ? rgbOnColour(rgba, gif?.background ?? BLACK) : rgbFrom8Bits(rgba, 4)
    const transparent = format === 'png' ? transparentColourOfPng(bytes) : (gif?.transparent ?? null)
    const pixels = { width, height, data }
    const upright = orientation === 'apply'
    return {
      ...(upright ? turnUpright(pixels, header.orientation) : pixels),
      format,
      orientation: header.orientation,
      upright,
      ...(transparent === null ? {} : { transparentColour: transparent }),
    }
  } finally {
    bitmap.close()
  }
}

/** Takes what a page has shown, upright as it is; transparency is left out, as where a file is decoded. The bitmap is closed. */
export async function pixelsOfBitmap(
  bitmap: ImageBitmap,
  { maxPixels = DEFAULT_MAX_PIXELS }: DecodeOptions = {},
): Promise<DecodedImage> {
  try {
    const { width, height } = bitmap
    assertNotTooLarge(bitmap, maxPixels, 'the image')
    const rgba = new Uint8Array((await readPixels(bitmap, true)).buffer)
    return { width, height, data: rgbFrom8Bits(rgba, 4), format: 'raw', orientation: 1, upright: true }
  } finally {
    bitmap.close()
  }
}

async function bytesOf(blob: Blob, label: string): Promise<Uint8Array> {
  try {
    return new Uint8Array(await blob.arrayBuffer())
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new ImageError('unreadable', `${label} cannot be read: ${reason}`, { cause })
  }
}

async function decode(blob: Blob, label: string, format: string): Promise<ImageBitmap> {
  try {
    return await createImageBitmap(blob, AS_STORED)
  } catch (cause) {
    if (format === 'tiff' || format === 'avif') {
      throw new ImageError(
        'unsupported',
        `${label} is ${format.toUpperCase()}, which this browser did not decode. Convert it to JPEG or PNG.`,
        { cause },
      )
    }
    throw new ImageError(
      'truncated',
      `${label} is damaged or cut off: the browser could not decode it. Was it copied or downloaded completely?`,
      { cause },
    )
  }
}

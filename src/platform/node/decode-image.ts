/**
 * Photos in Node: sharp (libvips) decodes, nothing more. Resizing, cropping and turning are this library's own, so that pixels are
 * those of Pillow: no shrink-on-load, no colour profile applied, alpha dropped and not blended.
 *
 * Equal to Pillow 13 to the bit for JPEG, PNG, WebP, TIFF and GIF of every kind tried. AVIF is not (up to 12 levels): the decoders enlarge
 * the colour channels differently.
 */
import type { Metadata, Sharp, SharpConstructor, SharpOptions } from 'sharp'
import { assertNotTooLarge, DEFAULT_MAX_PIXELS, decodableFormat } from '../../image/decodable.js'
import { type DecodedImage, decodedFrom, type RgbImage } from '../../image/image.js'
import { ImageError } from '../../image/image-error.js'
import type { ImageFormat } from '../../image/image-format.js'
import { rgbFrom8Bits, rgbFrom16Bits, rgbFromCmyk, rgbOnColour } from '../../image/to-rgb.js'
import { type Colour, gifColoursOrNull, transparentColourOfPng } from '../../image/transparent-colour.js'
import { turnUpright } from '../../image/turn-upright.js'
import { readImageFile } from './read-image-file.js'

/** A path, the bytes of a file, or an image that is decoded already. */
export type ImageSource = string | Uint8Array | RgbImage

export interface DecodeOptions {
  /**
   * Whether to turn the image as its EXIF orientation says; default `apply`. `ignore` gives what Pillow opens: the image as it lies, but for
   * TIFF, which Pillow turns by itself. The result tells what was found and done.
   */
  readonly orientation?: 'apply' | 'ignore'
  /** Larger images are refused before they are decoded; default 268 million pixels. */
  readonly maxPixels?: number
  readonly signal?: AbortSignal
}

/** `failOn`: what is cut off or broken is an error, what libjpeg merely warns about is not. Our own limit comes before any pixel. */
const READING: SharpOptions = { failOn: 'error', limitInputPixels: false, ignoreIcc: true, pages: 1 }

/**
 * JPEG (CMYK and progressive too), PNG (all depths), WebP, AVIF, TIFF, and the first frame of a GIF, as 8-bit RGB.
 *
 * @param source a path, or the bytes of a file; pixels come back as they are, and count as upright
 * @throws `ImageError` with the file's name; the signal's reason; TypeError for what is no image
 */
export async function decodeImage(source: ImageSource, options: DecodeOptions = {}): Promise<DecodedImage> {
  if (typeof source !== 'string' && !(source instanceof Uint8Array)) {
    return decodedFrom(source, 'a path, the bytes of a file')
  }
  const { orientation = 'apply', maxPixels = DEFAULT_MAX_PIXELS, signal } = options
  const label = typeof source === 'string' ? source : 'the image'
  signal?.throwIfAborted()
  const bytes = typeof source === 'string' ? await readImageFile(source, signal) : source
  const format = decodableFormat(bytes, label)
  const sharp = await loadSharp()
  // As a Buffer on the same memory: a view into a larger array must not be read as the whole of it.
  const image = sharp(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), READING)
  const metadata = await attempt(label, () => image.metadata())
  signal?.throwIfAborted()
  assertNotTooLarge(metadata, maxPixels, label)
  const { transparent = null, ...pixels } = await attempt(label, () =>
    readRgb(image, metadata, bytes, format),
  )
  signal?.throwIfAborted()
  const found = metadata.orientation ?? 1
  const upright = orientation === 'apply' || format === 'tiff'
  return {
    ...(upright ? turnUpright(pixels, found) : pixels),
    format,
    orientation: found,
    upright,
    ...(transparent === null ? {} : { transparentColour: transparent }),
  }
}

let loading: Promise<SharpConstructor> | undefined

/** On first use: most commands need no decoder. Images are decoded a few at a time beside the engine's threads, and none is decoded twice. */
function loadSharp(): Promise<SharpConstructor> {
  loading ??= import('sharp').then(({ default: sharp }) => {
    sharp.cache(false)
    sharp.concurrency(1)
    return sharp
  })
  return loading
}

type RgbPixels = RgbImage & { readonly transparent?: Colour | null }

async function readRgb(
  image: Sharp,
  { space, depth, channels = 3, hasAlpha = false }: Metadata,
  bytes: Uint8Array,
  format: ImageFormat,
): Promise<RgbPixels> {
  if (space === 'cmyk') {
    const { data, ...size } = await rawOf(image.pipelineColourspace('cmyk').toColourspace('cmyk'))
    return { data: rgbFromCmyk(data, size.channels), height: size.height, width: size.width }
  }
  if (depth === 'ushort' && (space === 'grey16' || space === 'rgb16')) {
    const { data, ...size } = await rawOf(image.toColourspace(space), 'ushort')
    const values = new Uint16Array(data.buffer, data.byteOffset, data.byteLength / 2)
    // A PNG of colour type 0 may have one transparent level, which libvips turns into alpha and Pillow does not.
    const grey = format === 'png' ? bytes[25] === 0 : channels - (hasAlpha ? 1 : 0) === 1
    return { data: rgbFrom16Bits(values, size.channels, grey), height: size.height, width: size.width }
  }
  if (format === 'gif' && hasAlpha) {
    const { data, height, width } = await rawOf(image.toColourspace('srgb').ensureAlpha())
    const { background, transparent } = gifColoursOrNull(bytes) ?? { background: BLACK, transparent: null }
    return { data: rgbOnColour(data, background), height, width, transparent }
  }
  const { data, ...size } = await rawOf(image.removeAlpha().toColourspace('srgb'))
  const transparent = format === 'png' ? transparentColourOfPng(bytes) : null
  return { data: rgbFrom8Bits(data, size.channels), height: size.height, width: size.width, transparent }
}

const BLACK: Colour = [0, 0, 0]

async function rawOf(
  image: Sharp,
  depth: 'uchar' | 'ushort' = 'uchar',
): Promise<{ data: Uint8Array; height: number; width: number; channels: number }> {
  const { data, info } = await image.raw({ depth }).toBuffer({ resolveWithObject: true })
  const { height, width, channels } = info
  return { data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength), height, width, channels }
}

/** What libvips says, in our words. By its first bytes the file is an image, so what fails here is damage unless the decoder names another reason. */
async function attempt<T>(label: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action()
  } catch (cause) {
    if (cause instanceof ImageError) throw cause
    const reason = (cause instanceof Error ? cause.message : String(cause)).split('\n')[0].trim()
    if (/limit/i.test(reason)) {
      throw new ImageError('too-large', `${label} is larger than its decoder allows (${reason}).`, { cause })
    }
    if (/unsupported (?!image format|marker)|not supported|support for/i.test(reason)) {
      throw new ImageError(
        'unsupported',
        `${label} is of a kind that is not decoded (${reason}). Convert it to JPEG or PNG.`,
        { cause },
      )
    }
    throw new ImageError(
      'truncated',
      `${label} is damaged or cut off (${reason}). Was it copied or downloaded completely?`,
      { cause },
    )
  }
}

/**
 * Decodes photos in a browser: `createImageBitmap` decodes, nothing more. Its colour conversion, premultiplication and turning are off; resizing,
 * cropping and turning are this library's own, so that pixels are those that Node gives: to the bit for 8-bit PNG, and for JPEG as far as the
 * browser's decoder agrees with libjpeg-turbo. Formats of more than 8 bits and CMYK are converted by the browser, in its own way.
 */
import { checkOptionNames, type OptionNames } from '../../check-option-names.js'
import { given } from '../../encoder/choose-recipe.js'
import { assertNotTooLarge, DEFAULT_MAX_PIXELS, decodableFormat } from '../../image/decodable.js'
import { decodedFromPixels } from '../../image/given-pixels.js'
import type { ImageHeader } from '../../image/header/image-header.js'
import type { DecodedImage, RgbImage } from '../../image/image.js'
import { ImageError } from '../../image/image-error.js'
import type { ImageFormat } from '../../image/image-format.js'
import { isCutOff } from '../../image/is-cut-off.js'
import type { Transparency } from '../../image/preparation.js'
import { readHeader, withoutOrientation } from '../../image/read-header.js'
import {
  type Colour,
  gifColoursOrNull,
  hiddenColourOfPng,
  isPngWithoutAlpha,
  transparentColourOfPng,
} from '../../image/transparent-colour.js'
import { turnUpright } from '../../image/turn-upright.js'
import { rgbFrom8Bits, rgbOnColour, rgbOnWhite, rgbWithWhiteFor } from '../../kernels/to-rgb.js'
import type { SentImage } from './host/protocol.js'
import { type ImageSource, readSource } from './image-source.js'
import { AS_STORED, readPixels } from './read-pixels.js'

/** Says how an image is read and decoded. */
export interface DecodeOptions {
  /** Says whether to turn the image as its EXIF or XMP orientation says; the default is `apply`. */
  readonly orientation?: 'apply' | 'ignore'
  /** Says what becomes of transparent pixels: `drop` (default) takes their colours as they are stored, `white` lays them on white by their alpha. */
  readonly transparency?: 'drop' | 'white'
  /** Larger images are refused, most of them before they are decoded; the default is 268 million pixels. */
  readonly maxPixels?: number
  /** Bounds the bytes that are taken from an address, a Blob or a stream; the default is 256 MiB. */
  readonly maxFileBytes?: number
  /** Bounds the time that an address may take, in milliseconds; the default is a minute. */
  readonly fetchTimeoutMs?: number
  /** Ends reading and decoding, which then reject with the signal's reason. */
  readonly signal?: AbortSignal
  /** Is called when the image's bytes are there. Decoding begins when what it returns has been awaited. */
  readonly onRead?: () => unknown
}

const DECODE_OPTIONS = {
  orientation: true,
  transparency: true,
  maxPixels: true,
  maxFileBytes: true,
  fetchTimeoutMs: true,
  signal: true,
  onRead: true,
} satisfies OptionNames<DecodeOptions>

const BLACK: Colour = [0, 0, 0]

/**
 * Decodes JPEG, PNG, WebP, GIF (its first frame), BMP, most TIFF and what else the browser knows into 8-bit RGB. Throws `ImageError`
 * (`ImageErrorCode` says of each code what to do); RangeError for an unknown option; the signal's reason; TypeError for what is no image.
 */
export async function decodeImage(source: ImageSource, options: DecodeOptions = {}): Promise<DecodedImage> {
  checkOptionNames(options, DECODE_OPTIONS)
  options.signal?.throwIfAborted()
  const sent = await readSource(source, options)
  await options.onRead?.()
  // A bitmap of the page stays the page's; `readSource` makes one where it is none yet.
  return await decodeSent(sent, options)
}

/** Decodes what may be sent between threads. A bitmap is closed. */
export async function decodeSent(source: SentImage, options: DecodeOptions = {}): Promise<DecodedImage> {
  const { signal } = options
  signal?.throwIfAborted()
  if (source instanceof ImageBitmap) return await pixelsOfBitmap(source, options)
  if (source instanceof Blob) {
    const label = source instanceof File ? source.name : THE_IMAGE
    return await decodeBytes(await bytesOf(source, label), label, options)
  }
  if (source instanceof Uint8Array) return await decodeBytes(source, THE_IMAGE, options)
  const { orientation, transparency } = options
  return decodedFromPixels(source, given({ orientation, transparency }))
}

const THE_IMAGE = 'the image'

async function decodeBytes(
  bytes: Uint8Array,
  label: string,
  { orientation = 'apply', transparency = 'drop', maxPixels = DEFAULT_MAX_PIXELS, signal }: DecodeOptions,
): Promise<DecodedImage> {
  const format = decodableFormat(bytes, label)
  const header = readHeader(bytes, format)
  if (header.size !== null) assertNotTooLarge(header.size, maxPixels, label)
  signal?.throwIfAborted()
  const pixels = await decodeHereOrNull({ bytes, label, format, transparency, signal })
  const decoded =
    pixels === null
      ? await decodeByBrowser({ bytes, label, format, header, maxPixels, transparency, signal })
      : { pixels, transparent: null }
  // Pillow turns TIFF by itself.
  const upright = orientation === 'apply' || format === 'tiff'
  return {
    ...(upright ? turnUpright(decoded.pixels, header.orientation) : decoded.pixels),
    format,
    orientation: header.orientation,
    upright,
    ...(decoded.transparent === null ? {} : { transparentColour: decoded.transparent }),
  }
}

/** Few photos are TIFF or BMP: their readers come with the first one. Gives null for what the browser decodes. */
async function decodeHereOrNull({
  bytes,
  label,
  format,
  transparency,
  signal,
}: Omit<BrowserFile, 'header' | 'maxPixels'>): Promise<RgbImage | null> {
  if (format === 'bmp')
    return (await import('../../image/bmp/decode-bmp.js')).decodeBmp(bytes, label, transparency)
  if (format !== 'tiff') return null
  return await (await import('./decode-own-tiff.js')).decodeOwnTiff(bytes, label, { signal, transparency })
}

interface BrowserFile {
  readonly bytes: Uint8Array
  readonly label: string
  readonly format: ImageFormat
  readonly header: ImageHeader
  readonly maxPixels: number
  readonly transparency: Transparency
  readonly signal: AbortSignal | undefined
}

async function decodeByBrowser({
  bytes,
  label,
  format,
  header,
  maxPixels,
  transparency,
  signal,
}: BrowserFile): Promise<{ readonly pixels: RgbImage; readonly transparent: Colour | null }> {
  // Chromium turns what a file says is lying, whatever it is told: so the file is made to say nothing.
  const file = new Blob([withoutOrientation(bytes, header)], { type: `image/${format}` })
  const bitmap = await decode(file, label, format, bytes)
  try {
    signal?.throwIfAborted()
    const { width, height } = bitmap
    assertNotTooLarge(bitmap, maxPixels, label)
    const rgba = new Uint8Array((await readPixels(bitmap, header.mayHaveAlpha)).buffer)
    if (transparency === 'white') {
      return { pixels: { width, height, data: onWhite(rgba, bytes, format) }, transparent: null }
    }
    const gif = format === 'gif' ? gifColoursOrNull(bytes) : null
    const data = format === 'gif' ? rgbOnColour(rgba, gif?.background ?? BLACK) : rgbFrom8Bits(rgba, 4)
    const transparent = format === 'png' ? transparentColourOfPng(bytes) : (gif?.transparent ?? null)
    return { pixels: { width, height, data }, transparent }
  } finally {
    bitmap.close()
  }
}

/** A PNG without alpha has one colour painted white, as Pillow does it. */
function onWhite(rgba: Uint8Array, bytes: Uint8Array, format: ImageFormat): Uint8Array {
  const rgb = rgbFrom8Bits(rgba, 4)
  if (!isPngWithoutAlpha(bytes, format)) return rgbOnWhite(rgb, rgba, 4, 3)
  const hidden = hiddenColourOfPng(bytes)
  return hidden === null ? rgb : rgbWithWhiteFor(rgb, hidden)
}

/** Takes what a page has shown, upright as it is. The bitmap is closed. */
async function pixelsOfBitmap(
  bitmap: ImageBitmap,
  { maxPixels = DEFAULT_MAX_PIXELS, transparency = 'drop' }: DecodeOptions = {},
): Promise<DecodedImage> {
  try {
    const { width, height } = bitmap
    assertNotTooLarge(bitmap, maxPixels, 'the image')
    const rgba = new Uint8Array((await readPixels(bitmap, true)).buffer)
    const rgb = rgbFrom8Bits(rgba, 4)
    const data = transparency === 'white' ? rgbOnWhite(rgb, rgba, 4, 3) : rgb
    return { width, height, data, format: 'raw', orientation: 1, upright: true }
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

async function decode(
  blob: Blob,
  label: string,
  format: ImageFormat,
  bytes: Uint8Array,
): Promise<ImageBitmap> {
  try {
    return await createImageBitmap(blob, AS_STORED)
  } catch (cause) {
    if (isCutOff(bytes, format)) {
      throw new ImageError(
        'truncated',
        `${label} is cut off: it ends before its image does. Was it copied or downloaded completely?`,
        { cause },
      )
    }
    if (format === 'avif') {
      throw new ImageError(
        'unsupported',
        `${label} is AVIF, which this browser did not decode. Convert it to JPEG or PNG.`,
        { cause },
      )
    }
    throw new ImageError(
      'undecodable',
      `${label} could not be decoded by this browser: it is damaged, or of a kind that the browser does not know. ` +
        'Where other programs show it, convert it to JPEG or PNG with one of them.',
      { cause },
    )
  }
}

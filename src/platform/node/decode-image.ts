/**
 * Decodes photos in Node: sharp (libvips) decodes, nothing more; TIFF and BMP are read here, since libvips reads
 * many kinds of TIFF otherwise than Pillow, and no BMP.
 * Resizing, cropping and turning are this library's own, so that pixels are those of Pillow.
 *
 * Pixels are equal to those of Pillow 13 to the bit for JPEG, PNG, WebP, TIFF, GIF and BMP of every kind tried. AVIF is not (up to 12 levels): the
 * decoders enlarge the colour channels differently.
 */

import { readFile, stat } from 'node:fs/promises'
import { checkOptionNames, type OptionNames } from '../../check-option-names.js'
import { assertNotTooLarge, DEFAULT_MAX_PIXELS } from '../../image/decodable.js'
import { decodedFromPixels, isPixelImage } from '../../image/given-pixels.js'
import type { DecodedImage, RgbImage } from '../../image/image.js'
import { ImageError } from '../../image/image-error.js'
import type { Colour } from '../../image/transparent-colour.js'
import { turnUpright } from '../../image/turn-upright.js'
import { FETCH_DEFAULTS } from './fetch-options.js'
import { whyUnopened } from './files/look-error.js'
import { type ImageSource, openSource } from './image-source.js'
import { type InspectedFile, inspectFile, type ReadFile } from './inspect-file.js'
import { decodingError, loadSharp, READING, rgbImageFrom, wayToRgb } from './sharp-decoder.js'
import { WatchedFile } from './watched-file.js'

/** Says how an image is read and decoded. */
export interface DecodeOptions {
  /**
   * Says whether to turn the image as its EXIF or XMP orientation says; the default is `apply`. `ignore` gives what Pillow opens: the image as it
   * lies, but for TIFF, which Pillow turns by itself, and HEIC. The result tells what was found and done.
   */
  readonly orientation?: 'apply' | 'ignore'
  /**
   * Says what becomes of transparent pixels: `drop` (default) takes their colours as they are stored, as Pillow's `convert('RGB')` does, and `white` lays
   * them on white by their alpha, as transformers does from 5.21 on.
   */
  readonly transparency?: 'drop' | 'white'
  /** Larger images are refused before they are decoded; the default is 268 million pixels. */
  readonly maxPixels?: number
  /** Bounds the bytes that are taken from an address, a Blob or a stream; the default is 256 MiB. */
  readonly maxFileBytes?: number
  /** Refuses addresses of the network; default `false`. */
  readonly offline?: boolean
  /**
   * Lets addresses lead to this machine and its own network (loopback, private, link-local, shared), which is refused otherwise, wherever a name or a
   * redirect leads: addresses that others give could reach what only this machine can. Default `false`.
   */
  readonly allowPrivateAddresses?: boolean
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
  offline: true,
  allowPrivateAddresses: true,
  fetchTimeoutMs: true,
  signal: true,
  onRead: true,
} satisfies OptionNames<DecodeOptions>

/**
 * Decodes JPEG (CMYK and progressive too), PNG (all depths), WebP, AVIF, TIFF, BMP, the first frame of a GIF, and HEIC where the optional package
 * libheif-js is installed, into 8-bit RGB. What a file is, its content says and not its name.
 *
 * @throws `ImageError` with the file's name (`ImageErrorCode` says of each code what to do); RangeError for an unknown option; the signal's reason;
 *   TypeError for what is no image
 */
export async function decodeImage(source: ImageSource, options: DecodeOptions = {}): Promise<DecodedImage> {
  checkOptionNames(options, DECODE_OPTIONS)
  const image = await readImage(source, options)
  return 'pixels' in image ? image.pixels : decodeFile(image, options)
}

/** Is a file that has been read, and says who wants to know what is measured of it. */
export interface WatchableFile extends ReadFile {
  readonly watched?: WatchedFile
}

/** Reads an image and looks at it; what is pixels already is given as decoded. Throws as `decodeImage`. */
export async function readImage(
  source: ImageSource,
  options: DecodeOptions,
): Promise<WatchableFile | { readonly pixels: DecodedImage }> {
  const { orientation = 'apply', transparency = 'drop', maxPixels = DEFAULT_MAX_PIXELS, signal } = options
  signal?.throwIfAborted()
  const open = openSource(source)
  if ('pixels' in open) {
    await options.onRead?.()
    signal?.throwIfAborted()
    return { pixels: decodedFromPixels(open.pixels, { orientation, transparency }) }
  }
  const label = 'path' in open ? open.path : open.label
  const bytes =
    'path' in open
      ? await readImageFile(open.path, signal)
      : await open.read({ ...FETCH_DEFAULTS, ...options, signal })
  signal?.throwIfAborted()
  await options.onRead?.()
  signal?.throwIfAborted()
  if (bytes instanceof WatchedFile) return { ...bytes.image, watched: bytes }
  if (isPixelImage(bytes)) return { pixels: decodedFromPixels(bytes, { orientation, transparency }) }
  return { bytes, label, file: inspectFile(bytes, label, { maxPixels, transparency }) }
}

/** Decodes what `readImage` has read. Throws as `decodeImage`. */
export async function decodeFile(
  { bytes, label, file }: ReadFile,
  options: DecodeOptions,
): Promise<DecodedImage> {
  const { orientation = 'apply', transparency = 'drop', maxPixels = DEFAULT_MAX_PIXELS, signal } = options
  if (file.decode !== null) return finished(file, await file.decode(signal), orientation)
  const { asStored, format } = file
  const sharp = await loadSharp()
  try {
    // sharp gets a Buffer on the same memory: a view into a larger array must not be read as the whole of it.
    const image = sharp(Buffer.from(asStored.buffer, asStored.byteOffset, asStored.byteLength), READING)
    const metadata = await image.metadata()
    signal?.throwIfAborted()
    assertNotTooLarge(metadata, maxPixels, label)
    const way = wayToRgb(image, metadata, bytes, format, transparency)
    const { data, info } = await way.stored.raw({ depth: way.depth }).toBuffer({ resolveWithObject: true })
    signal?.throwIfAborted()
    return finished(file, rgbImageFrom(way, data, info), orientation, way.transparent)
  } catch (cause) {
    signal?.throwIfAborted()
    throw decodingError(label, cause, bytes, format)
  }
}

function finished(
  { format, orientation: found, isAlwaysTurned, isTurned }: InspectedFile,
  pixels: RgbImage,
  orientation: 'apply' | 'ignore',
  transparent: Colour | null = null,
): DecodedImage {
  const upright = orientation === 'apply' || isAlwaysTurned
  return {
    ...(upright && !isTurned ? turnUpright(pixels, found) : pixels),
    format,
    orientation: found,
    upright,
    ...(transparent === null ? {} : { transparentColour: transparent }),
  }
}

/** One read can take in so many, which is far more than any photo has. */
const MOST_BYTES = 2 ** 31 - 1

/** Throws `ImageError` `not-found`, `unreadable`, `not-an-image` (a folder, a pipe), `empty`, `too-large`. */
export async function readImageFile(path: string, signal?: AbortSignal): Promise<Uint8Array> {
  try {
    // A pipe or a device would be read without end, so it is looked at before.
    const stats = await stat(path)
    if (!stats.isFile()) {
      const kind = stats.isDirectory() ? 'a folder' : 'a pipe or device'
      throw new ImageError('not-an-image', `${path} is ${kind}, where an image file is expected.`)
    }
    if (stats.size > MOST_BYTES) {
      throw new ImageError(
        'too-large',
        `${path} has ${stats.size} bytes; image files of up to ${MOST_BYTES} bytes are read. Convert it to a smaller one.`,
      )
    }
    return await readFile(path, signal === undefined ? {} : { signal })
  } catch (cause) {
    signal?.throwIfAborted()
    throw cause instanceof ImageError ? cause : cannotOpen(path, cause)
  }
}

function cannotOpen(path: string, cause: unknown): ImageError {
  const { code, message } = whyUnopened(path, cause)
  return new ImageError(code, message, { cause })
}

/**
 * Decodes photos in Node: sharp (libvips) decodes, nothing more. Resizing, cropping and turning are this library's own, so that pixels are
 * those of Pillow: nothing shrinks on load, no colour profile is applied, and alpha is dropped and not blended.
 *
 * Pixels are equal to those of Pillow 13 to the bit for JPEG, PNG, WebP, TIFF and GIF of every kind tried. AVIF is not (up to 12 levels): the decoders enlarge
 * the colour channels differently.
 */
import { readFile, stat } from 'node:fs/promises'
import type { Metadata, Sharp, SharpConstructor, SharpOptions } from 'sharp'
import { checkOptionNames, type OptionNames } from '../../encoder/check-options.js'
import { assertNotTooLarge, DEFAULT_MAX_PIXELS, decodableFormat } from '../../image/decodable.js'
import { type DecodedImage, decodedFrom, type RgbImage } from '../../image/image.js'
import { ImageError } from '../../image/image-error.js'
import type { ImageFormat } from '../../image/image-format.js'
import { type Colour, gifColoursOrNull, transparentColourOfPng } from '../../image/transparent-colour.js'
import { turnUpright } from '../../image/turn-upright.js'
import { rgbFrom8Bits, rgbFrom16Bits, rgbFromCmyk, rgbOnColour } from '../../kernels/to-rgb.js'

/** A path, the bytes of a file, or an image that is decoded already. */
export type ImageSource = string | Uint8Array | RgbImage

export interface DecodeOptions {
  /**
   * Says whether to turn the image as its EXIF orientation says; the default is `apply`. `ignore` gives what Pillow opens: the image as it lies, but for
   * TIFF, which Pillow turns by itself. The result tells what was found and done.
   */
  readonly orientation?: 'apply' | 'ignore'
  /** Larger images are refused before they are decoded; the default is 268 million pixels. */
  readonly maxPixels?: number
  readonly signal?: AbortSignal
}

const DECODE_OPTIONS = {
  orientation: true,
  maxPixels: true,
  signal: true,
} satisfies OptionNames<DecodeOptions>

/** What is cut off or broken is an error, what libjpeg merely warns about is not. Our own limit of pixels comes before libvips' one. */
const READING: SharpOptions = { failOn: 'error', limitInputPixels: false, ignoreIcc: true, pages: 1 }

/**
 * Decodes JPEG (CMYK and progressive too), PNG (all depths), WebP, AVIF, TIFF, and the first frame of a GIF into 8-bit RGB.
 *
 * @param source a path, or the bytes of a file; pixels come back as they are, and count as upright
 * @throws `ImageError` with the file's name; the signal's reason; TypeError for what is no image
 */
export async function decodeImage(source: ImageSource, options: DecodeOptions = {}): Promise<DecodedImage> {
  if (typeof source !== 'string' && !(source instanceof Uint8Array)) {
    const image = decodedFrom(source, 'a path, the bytes of a file')
    return { ...image, data: ownCopy(image.data) }
  }
  checkOptionNames(options, DECODE_OPTIONS)
  const { orientation = 'apply', maxPixels = DEFAULT_MAX_PIXELS, signal } = options
  const label = typeof source === 'string' ? source : 'the image'
  signal?.throwIfAborted()
  const bytes = typeof source === 'string' ? await readImageFile(source, signal) : ownCopy(source)
  const format = decodableFormat(bytes, label)
  const sharp = await loadSharp()
  // sharp gets a Buffer on the same memory: a view into a larger array must not be read as the whole of it.
  const image = sharp(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), READING)
  try {
    const metadata = await image.metadata()
    signal?.throwIfAborted()
    assertNotTooLarge(metadata, maxPixels, label)
    const { stored, depth, rgbFrom, transparent } = wayToRgb(image, metadata, bytes, format)
    const { data, info } = await stored.raw({ depth }).toBuffer({ resolveWithObject: true })
    signal?.throwIfAborted()
    const { height, width, channels } = info
    const levels = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    const pixels = { height, width, data: rgbFrom(levels, channels) }
    const found = metadata.orientation ?? 1
    const upright = orientation === 'apply' || format === 'tiff'
    return {
      ...(upright ? turnUpright(pixels, found) : pixels),
      format,
      orientation: found,
      upright,
      ...(transparent === null ? {} : { transparentColour: transparent }),
    }
  } catch (cause) {
    signal?.throwIfAborted()
    throw decodingError(label, cause)
  }
}

/**
 * Decoding and resizing read on other threads, later: until then whoever gave the bytes may write over them, or transfer them away and have them freed.
 * Node has no way to hold memory that is transferred, so it is copied.
 */
function ownCopy(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes)
}

let loading: Promise<SharpConstructor> | undefined

/** Loads sharp when it is first used: most commands need no decoder. Images are decoded a few at a time beside the engine's threads, and none is decoded twice. */
function loadSharp(): Promise<SharpConstructor> {
  loading ??= import('sharp').then(({ default: sharp }) => {
    sharp.cache(false)
    sharp.concurrency(1)
    return sharp
  })
  return loading
}

/** Says what libvips is asked for, and how that becomes RGB. */
interface WayToRgb {
  readonly stored: Sharp
  readonly depth: 'uchar' | 'ushort'
  /** Takes the levels as bytes, row by row. */
  readonly rgbFrom: (levels: Uint8Array, channels: number) => Uint8Array
  readonly transparent: Colour | null
}

function wayToRgb(
  image: Sharp,
  { space, depth, channels = 3, hasAlpha = false }: Metadata,
  bytes: Uint8Array,
  format: ImageFormat,
): WayToRgb {
  if (space === 'cmyk') {
    const stored = image.pipelineColourspace('cmyk').toColourspace('cmyk')
    return { stored, depth: 'uchar', rgbFrom: rgbFromCmyk, transparent: null }
  }
  if (depth === 'ushort' && (space === 'grey16' || space === 'rgb16')) {
    // A PNG of colour type 0 may have one transparent level, which libvips turns into alpha and Pillow does not.
    const grey = format === 'png' ? bytes[25] === 0 : channels - (hasAlpha ? 1 : 0) === 1
    const rgbFrom = ({ buffer, byteOffset, byteLength }: Uint8Array, found: number) =>
      rgbFrom16Bits(new Uint16Array(buffer, byteOffset, byteLength / 2), found, grey)
    return { stored: image.toColourspace(space), depth: 'ushort', rgbFrom, transparent: null }
  }
  if (format === 'gif' && hasAlpha) {
    const { background, transparent } = gifColoursOrNull(bytes) ?? { background: BLACK, transparent: null }
    const stored = image.toColourspace('srgb').ensureAlpha()
    return { stored, depth: 'uchar', rgbFrom: (levels) => rgbOnColour(levels, background), transparent }
  }
  const transparent = format === 'png' ? transparentColourOfPng(bytes) : null
  return {
    stored: image.removeAlpha().toColourspace('srgb'),
    depth: 'uchar',
    rgbFrom: rgbFrom8Bits,
    transparent,
  }
}

const BLACK: Colour = [0, 0, 0]

/** Puts what libvips says into our words. By its first bytes the file is an image, so what fails here is damage unless the decoder names another reason. */
function decodingError(label: string, cause: unknown): unknown {
  if (cause instanceof ImageError) return cause
  const reason = String(cause instanceof Error ? cause.message : cause)
    .replace(/\n.*/s, '')
    .trim()
  if (/limit/i.test(reason)) {
    return new ImageError('too-large', `${label} is larger than its decoder allows (${reason}).`, { cause })
  }
  if (/unsupported (?!image format|marker)|not supported|support for/i.test(reason)) {
    return new ImageError(
      'unsupported',
      `${label} is of a kind that is not decoded (${reason}). Convert it to JPEG or PNG.`,
      { cause },
    )
  }
  return new ImageError(
    'truncated',
    `${label} is damaged or cut off (${reason}). Was it copied or downloaded completely?`,
    { cause },
  )
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
    throw cause instanceof ImageError ? cause : cannotOpen(path, cause as NodeJS.ErrnoException)
  }
}

function cannotOpen(path: string, cause: NodeJS.ErrnoException): ImageError {
  if (cause.code === 'ENOENT' || cause.code === 'ENOTDIR') {
    return new ImageError('not-found', `${path} cannot be opened: there is no such file.`, { cause })
  }
  const reason = cause.code === 'EACCES' ? 'you have no permission to read it' : cause.message
  return new ImageError('unreadable', `${path} cannot be opened: ${reason}.`, { cause })
}

/**
 * Photos in Node: sharp (libvips) decodes, nothing more. Resizing, cropping and turning are this library's own, so that pixels are
 * those of Pillow: no shrink-on-load, no colour profile applied, alpha dropped and not blended.
 */
import { stat } from 'node:fs/promises'
import sharp, { type Metadata, type Sharp } from 'sharp'
import type { DecodedImage, RgbImage } from '../../image/image.js'
import { ImageError } from '../../image/image-error.js'
import { turnUpright } from '../../image/turn-upright.js'

export interface DecodeOptions {
  /** Whether to turn the image as its EXIF orientation says; default `apply`. The result tells what was found and done. */
  readonly orientation?: 'apply' | 'ignore'
  /** Larger images are refused before they are decoded; default 268 million pixels. */
  readonly maxPixels?: number
  readonly signal?: AbortSignal
}

const DEFAULT_MAX_PIXELS = 2 ** 28

// Images are decoded a few at a time beside the engine's threads, and none is decoded twice.
sharp.cache(false)
sharp.concurrency(1)

/**
 * JPEG (CMYK and progressive too), PNG (all depths), WebP, AVIF, TIFF, and the first frame of a GIF, as 8-bit RGB.
 * Throws `ImageError` with the file's name.
 */
export async function decodeImage(
  source: string | Uint8Array,
  options: DecodeOptions = {},
): Promise<DecodedImage> {
  const { orientation = 'apply', maxPixels = DEFAULT_MAX_PIXELS, signal } = options
  const label = typeof source === 'string' ? source : 'the image'
  signal?.throwIfAborted()
  await refuseEmpty(source, label)
  const image = sharp(source, { failOn: 'error', limitInputPixels: false, ignoreIcc: true, pages: 1 })
  const metadata = await attempt(label, () => image.metadata())
  const { width = 0, height = 0 } = metadata
  if (width * height > maxPixels) {
    throw new ImageError(
      'too-large',
      `${label} is ${width} x ${height}, more than the ${maxPixels} pixels allowed. Raise maxPixels if you trust it.`,
    )
  }
  signal?.throwIfAborted()
  const pixels = await attempt(label, () => readRgb(image, metadata))
  const found = metadata.orientation ?? 1
  const upright = orientation === 'apply'
  const transparentColour = await attempt(label, () => transparentColourOrNull(source, metadata))
  return {
    ...(transparentColour === null ? {} : { transparentColour }),
    ...(upright ? turnUpright(pixels, found) : pixels),
    format: metadata.format ?? 'unknown',
    orientation: found,
    upright,
  }
}

async function readRgb(
  image: Sharp,
  { space, depth, channels = 3, hasAlpha = false }: Metadata,
): Promise<RgbImage> {
  if (space === 'cmyk') {
    const { data, info } = await image
      .pipelineColourspace('cmyk')
      .toColourspace('cmyk')
      .raw()
      .toBuffer({ resolveWithObject: true })
    return { data: rgbFromCmyk(data, info.channels), height: info.height, width: info.width }
  }
  const colours = channels - (hasAlpha ? 1 : 0)
  if (depth === 'ushort' && (space === 'grey16' || space === 'rgb16')) {
    const { data, info } = await image
      .toColourspace(space)
      .raw({ depth: 'ushort' })
      .toBuffer({ resolveWithObject: true })
    const values = new Uint16Array(data.buffer, data.byteOffset, data.byteLength / 2)
    return { data: rgbFrom16Bits(values, info.channels, colours), height: info.height, width: info.width }
  }
  const { data, info } = await image
    .removeAlpha()
    .toColourspace('srgb')
    .raw()
    .toBuffer({ resolveWithObject: true })
  return {
    data:
      info.channels === 3
        ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
        : threeChannels(data, info.channels),
    height: info.height,
    width: info.width,
  }
}

/** The one colour of a palette PNG that is transparent altogether; null where there is none, or more than that. */
async function transparentColourOrNull(
  source: string | Uint8Array,
  { format, isPalette = false, hasAlpha = false }: Metadata,
): Promise<readonly [number, number, number] | null> {
  if (format !== 'png' || !isPalette || !hasAlpha) return null
  const { data } = await sharp(source, { limitInputPixels: false, ignoreIcc: true })
    .ensureAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true })
  let found: readonly [number, number, number] | null = null
  for (let i = 0; i < data.length; i += 4) {
    if (data[i + 3] === 255) continue
    if (data[i + 3] !== 0) return null
    if (found !== null && (found[0] !== data[i] || found[1] !== data[i + 1] || found[2] !== data[i + 2]))
      return null
    found = [data[i], data[i + 1], data[i + 2]]
  }
  return found
}

/** Pillow clips 16-bit grey at 255, and keeps the upper byte of 16-bit colour. */
function rgbFrom16Bits(values: Uint16Array, channels: number, colours: number): Uint8Array {
  const pixels = values.length / channels
  const out = new Uint8Array(pixels * 3)
  for (let i = 0; i < pixels; i++) {
    for (let c = 0; c < 3; c++) {
      out[i * 3 + c] = colours === 1 ? Math.min(values[i * channels], 255) : values[i * channels + c] >> 8
    }
  }
  return out
}

function threeChannels(data: Uint8Array, channels: number): Uint8Array {
  const pixels = data.length / channels
  const out = new Uint8Array(pixels * 3)
  for (let i = 0; i < pixels; i++) out.fill(data[i * channels], i * 3, i * 3 + 3)
  return out
}

/** Pillow's cmyk2rgb: (255 - c) * (255 - k) / 255, divided with rounding in integers. */
function rgbFromCmyk(data: Uint8Array, channels: number): Uint8Array {
  const pixels = data.length / channels
  const out = new Uint8Array(pixels * 3)
  for (let i = 0; i < pixels; i++) {
    const white = 255 - data[i * channels + 3]
    for (let c = 0; c < 3; c++) {
      const product = (255 - data[i * channels + c]) * white + 128
      out[i * 3 + c] = ((product >> 8) + product) >> 8
    }
  }
  return out
}

async function refuseEmpty(source: string | Uint8Array, label: string): Promise<void> {
  let size: number
  if (typeof source === 'string') {
    const stats = await stat(source).catch((cause: NodeJS.ErrnoException) => {
      throw new ImageError(
        'not-found',
        `${label} cannot be opened: ${cause.code === 'ENOENT' ? 'there is no such file' : cause.message}.`,
        { cause },
      )
    })
    if (stats.isDirectory())
      throw new ImageError('not-an-image', `${label} is a folder, where an image file is expected.`)
    size = stats.size
  } else {
    size = source.byteLength
  }
  if (size === 0)
    throw new ImageError(
      'empty',
      `${label} is empty (0 bytes), where an image is expected. Was it copied completely?`,
    )
}

async function attempt<T>(label: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action()
  } catch (cause) {
    const reason = (cause instanceof Error ? cause.message : String(cause)).split('\n')[0].trim()
    if (/unsupported image format|corrupt header|bad seek|Input file is missing/i.test(reason)) {
      throw new ImageError(
        'not-an-image',
        `${label} is no image that can be decoded (${reason}). Known are JPEG, PNG, WebP, AVIF, TIFF and GIF.`,
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

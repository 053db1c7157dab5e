/** Makes a small JPEG of a photo, for pages that show it. */
import type { RgbImage } from '../../image/image.js'
import { turnUpright } from '../../image/turn-upright.js'
import { type DecodeOptions, decodeFile, readImage } from './decode-image.js'
import { FETCH_DEFAULTS, type FetchImageOptions } from './fetch-options.js'
import { openSource } from './image-source.js'
import type { ReadFile } from './inspect-file.js'
import { loadSharp, READING } from './sharp-decoder.js'

export interface ReducedPhoto {
  readonly height: number
  readonly width: number
  /** Holds a JPEG without any of the file's metadata, such as where the photo was taken. */
  readonly jpeg: Uint8Array
}

export interface ReduceOptions extends DecodeOptions {
  /** Bounds the longer side in pixels. */
  readonly side: number
  /** Bounds the bytes of the JPEG. */
  readonly mostBytes: number
}

/** The first is as good as the eye asks for; the others are for pictures of noise. */
const QUALITIES = [82, 65, 45, 30]
/** A smaller picture shows nothing. */
const SMALLEST_SIDE = 16

/** @throws as `decodeImage` */
export async function reducePhoto(
  source: string | Uint8Array,
  { side, mostBytes, ...options }: ReduceOptions,
): Promise<ReducedPhoto> {
  const image = await readImage(source, options)
  const pixels = 'pixels' in image ? image.pixels : await smallPixels(image, side, options)
  const sharp = await loadSharp()
  for (let longest = side; ; longest = Math.ceil(longest / 2)) {
    for (const quality of QUALITIES) {
      const { data, info } = await sharp(Buffer.from(pixels.data), {
        raw: { ...sizeOf(pixels), channels: 3 },
      })
        .resize(longest, longest, { fit: 'inside', withoutEnlargement: true })
        .jpeg({ quality })
        .toBuffer({ resolveWithObject: true })
      if (data.length <= mostBytes || longest <= SMALLEST_SIDE) return { ...sizeOf(info), jpeg: data }
    }
  }
}

/** Reads what an address gives. Throws as `decodeImage`. */
export async function readAddress(address: string, options: Partial<FetchImageOptions>): Promise<Uint8Array> {
  const source = openSource(address)
  if (!('read' in source)) throw new TypeError(`${address} is no address that is fetched.`)
  const bytes = await source.read({ ...FETCH_DEFAULTS, signal: undefined, ...options })
  if (!(bytes instanceof Uint8Array)) throw new TypeError(`${address} gives no bytes.`)
  return bytes
}

/** Gives a longer side of at most `side` for a JPEG, and anything else as it is. A large JPEG is decoded at a part of its size, which takes a fraction of the time. */
export async function smallPixels(image: ReadFile, side: number, options: DecodeOptions): Promise<RgbImage> {
  const { file, bytes } = image
  if (file.format !== 'jpeg') return await decodeFile(image, options)
  const sharp = await loadSharp()
  const { data, info } = await sharp(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), READING)
    .resize(side, side, { fit: 'inside', withoutEnlargement: true })
    .toColourspace('srgb')
    .removeAlpha()
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true })
  const lies = { ...sizeOf(info), data }
  return options.orientation === 'ignore' ? lies : turnUpright(lies, file.orientation)
}

function sizeOf({ height, width }: { readonly height: number; readonly width: number }) {
  return { height, width }
}

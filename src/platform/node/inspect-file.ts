/** Looks at the bytes of an image before any pixel is decoded: what they are, who decodes them, and whether they may be decoded at all. */
import { inflateSync } from 'node:zlib'
import { decodeBmp } from '../../image/bmp/decode-bmp.js'
import { assertNotTooLarge, decodableFormat } from '../../image/decodable.js'
import { isAvifSequence, readHeifHeader } from '../../image/header/heif-header.js'
import type { RgbImage } from '../../image/image.js'
import { ImageError } from '../../image/image-error.js'
import { fileKindOrNull, type ImageFormat } from '../../image/image-format.js'
import type { Transparency } from '../../image/preparation.js'
import { readHeader, withoutOrientation } from '../../image/read-header.js'
import { decodeTiff, isDecodedHere } from '../../image/tiff/decode-tiff.js'
import { readTiffLayout, refuseForeignTiff } from '../../image/tiff/layout.js'
import { decodeHeic } from './heic/decode-heic.js'

export interface InspectedFile {
  readonly format: ImageFormat | 'heic'
  /** Is EXIF's, 1 to 8. */
  readonly orientation: number
  /** Pillow turns these whatever is asked for. */
  readonly isAlwaysTurned: boolean
  /** Says that the decoder turns them by itself. */
  readonly isTurned: boolean
  /** Is the size as stored, or null where the header does not tell it. */
  readonly size: { readonly height: number; readonly width: number } | null
  /** Decodes it here; null where sharp does. */
  readonly decode: ((signal?: AbortSignal) => Promise<RgbImage>) | null
}

/** Is what sharp decodes. */
export interface SharpFile extends InspectedFile {
  readonly format: ImageFormat
  readonly decode: null
  /** Are the file's bytes, which say nothing of any turning where sharp would heed it. */
  readonly asStored: Uint8Array
}

/** Is a file that has been read and looked at, and not decoded. */
export interface ReadFile {
  readonly bytes: Uint8Array
  /** Names it in messages. */
  readonly label: string
  readonly file: OwnFile | SharpFile
}

export interface InspectOptions {
  readonly maxPixels: number
  readonly transparency: Transparency
}

export interface OwnFile extends InspectedFile {
  readonly decode: (signal?: AbortSignal) => Promise<RgbImage>
}

/** Throws `ImageError` `empty`, `not-an-image`, `unsupported`, `too-large`, `truncated`. */
export function inspectFile(bytes: Uint8Array, label: string, limits: InspectOptions): SharpFile | OwnFile {
  const { maxPixels, transparency } = limits
  if (fileKindOrNull(bytes)?.decoder === 'optional') return inspectHeic(bytes, label, limits)
  const format = decodableFormat(bytes, label)
  const header = readHeader(bytes, format)
  if (header.size !== null) assertNotTooLarge(header.size, maxPixels, label)
  const { orientation, size: stored } = header
  const found = { orientation, size: stored, isAlwaysTurned: format === 'tiff', isTurned: false }
  if (format === 'avif' && isAvifSequence(bytes)) {
    throw new ImageError(
      'unsupported',
      `${label} is an AVIF sequence, a moving picture, which is not decoded. Save the frame that you want as AVIF, JPEG or PNG.`,
    )
  }
  if (format === 'bmp') {
    const decode = async () => decodeBmp(bytes, label, transparency)
    return { ...found, format, decode }
  }
  if (format === 'tiff') {
    const layout = readTiffLayout(bytes, label)
    if (isDecodedHere(layout)) {
      const decode = (signal?: AbortSignal) =>
        decodeTiff(bytes, layout, label, { signal, inflate, transparency })
      return { ...found, format, decode }
    }
    refuseForeignTiff(layout, bytes.length, label)
  }
  // libheif turns what AVIF says is lying, whatever it is told.
  const asStored =
    format === 'avif' && header.uprightEdits.length > 0 ? withoutOrientation(bytes, header) : bytes
  return { ...found, format, decode: null, asStored }
}

/** Node's own zlib is several times faster than one in JavaScript. */
function inflate(packed: Uint8Array, out: Uint8Array): boolean {
  try {
    // What follows the last byte that is wanted does not matter, and a bomb is not unpacked.
    const unpacked = inflateSync(packed, { maxOutputLength: out.length + SPARE_BYTES })
    out.set(unpacked.subarray(0, out.length))
    return unpacked.length >= out.length
  } catch {
    return false
  }
}

const SPARE_BYTES = 65_536

function inspectHeic(bytes: Uint8Array, label: string, options: InspectOptions): OwnFile {
  const { size, orientation } = readHeifHeader(bytes)
  if (size === null) {
    throw new ImageError(
      'unsupported',
      `${label} is HEIC without a still image in it, such as a moving picture or the mere beginning of a file. Convert it to JPEG.`,
    )
  }
  assertNotTooLarge(size, options.maxPixels, label)
  const decode = (signal?: AbortSignal) => decodeHeic(bytes, label, { ...options, signal })
  return { format: 'heic', orientation, size, isAlwaysTurned: true, isTurned: true, decode }
}

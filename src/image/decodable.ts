/** Refuses files before any decoder sees them, on every platform in the same words. */
import { isRawName } from './camera-raw.js'
import { rareJpegOrNull } from './header/jpeg-header.js'
import { ImageError } from './image-error.js'
import { CAMERA_RAW, fileKindOrNull, type ImageFormat, nameOfKind } from './image-format.js'

export const DEFAULT_MAX_PIXELS = 2 ** 28
/** Bounds the bytes that are taken from an address or a stream, of which nobody knows how long it is. */
export const DEFAULT_MAX_FILE_BYTES = 2 ** 28

export const CAMERA_RAW_ADVICE = 'Export it as JPEG, PNG or TIFF with a program that develops such photos.'

/** Throws `ImageError`: `empty`, `unsupported`, `not-an-image`. */
export function decodableFormat(bytes: Uint8Array, label: string): ImageFormat {
  if (bytes.length === 0) {
    throw new ImageError(
      'empty',
      `${label} is empty (0 bytes), where an image is expected. Was it copied completely?`,
    )
  }
  const found = fileKindOrNull(bytes)
  // A preview in it would be taken for the photo.
  const known = found?.format === 'tiff' && isRawName(label) ? CAMERA_RAW : found
  const rare = known?.format === 'jpeg' ? rareJpegOrNull(bytes) : null
  if (rare !== null) {
    throw new ImageError(
      'unsupported',
      `${label} is ${rare}, which is not decoded. Convert it to plain JPEG or PNG.`,
    )
  }
  if (known?.decoder === 'own') return known.format
  if (known?.format === CAMERA_RAW.format) {
    throw new ImageError(
      'unsupported',
      `${label} is ${nameOfKind(known)}, which is not decoded. ${CAMERA_RAW_ADVICE}`,
    )
  }
  if (known !== null) {
    throw new ImageError(
      'unsupported',
      `${label} is ${nameOfKind(known)}, which is not decoded. Convert it to JPEG or PNG; WebP, AVIF, TIFF, GIF and BMP work too.`,
    )
  }
  const advice = isText(bytes) ? LIST_ADVICE : ''
  throw new ImageError(
    'not-an-image',
    `${label} does not begin as any image that can be decoded. Known are JPEG, PNG, WebP, AVIF, TIFF, GIF and BMP.${advice}`,
  )
}

const LIST_ADVICE =
  ' It is text: a list of images goes to standard input on the command line (plumage embed - < list.txt).'

/** A list of paths in any usual writing has no other signs than those of text, in UTF-8 or UTF-16. */
function isText(bytes: Uint8Array): boolean {
  const begin = bytes.subarray(0, 256)
  const isWide = begin[0] === 0xff && begin[1] === 0xfe
  return begin.every(
    (byte) => (byte >= 32 && byte !== 127) || [9, 10, 13].includes(byte) || (isWide && byte === 0),
  )
}

/** Throws `ImageError` `too-large`. */
export function assertNotTooLarge(
  { width, height }: { readonly width: number; readonly height: number },
  maxPixels: number,
  label: string,
): void {
  if (width * height <= maxPixels) return
  throw new ImageError(
    'too-large',
    `${label} is ${width} x ${height} = ${width * height} pixels; up to ${maxPixels} are decoded. ` +
      'Raise maxPixels (--max-pixels) if you trust it: decoding takes 3 bytes a pixel and more.',
  )
}

/** Says that a file whose bytes come from elsewhere than a disk is longer than is allowed. */
export function tooLong(label: string, maxFileBytes: number): ImageError {
  return new ImageError(
    'too-large',
    `${label} has more than ${maxFileBytes} bytes, which is as many as are taken. Raise maxFileBytes (--max-file-bytes) if you trust it.`,
  )
}

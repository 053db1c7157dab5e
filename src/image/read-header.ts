/**
 * Reads what an image file says of itself before any pixel is decoded, its size as stored and which way it lies, with the rules of Pillow's
 * `ImageOps.exif_transpose`. Decoders tell neither, or each by rules of its own.
 */
import { bmpSizeOrNull } from './bmp/read-bmp.js'
import { readHeifHeader } from './header/heif-header.js'
import type { ImageHeader } from './header/image-header.js'
import { readJpegHeader } from './header/jpeg-header.js'
import { readPngHeader } from './header/png-header.js'
import { readTiffHeader } from './header/tiff-header.js'
import { readWebpHeader } from './header/webp-header.js'
import type { ImageFormat } from './image-format.js'

/** Copies the file so that it says nothing of any turning, for decoders that cannot be told to leave the pixels as they lie. */
export function withoutOrientation(
  file: Uint8Array,
  { uprightEdits }: Pick<ImageHeader, 'uprightEdits'>,
): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(file)
  for (const { offset, bytes } of uprightEdits) copy.set(bytes, offset)
  return copy
}

/** Never throws: what cannot be made sense of counts as not there. */
export function readHeader(file: Uint8Array, format: ImageFormat): ImageHeader {
  return READERS[format](file)
}

const READERS: { readonly [format in ImageFormat]: (file: Uint8Array) => ImageHeader } = {
  jpeg: readJpegHeader,
  png: readPngHeader,
  webp: readWebpHeader,
  avif: readHeifHeader,
  tiff: readTiffHeader,
  gif: (file) => {
    const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
    const size = file.length < 10 ? null : { width: view.getUint16(6, true), height: view.getUint16(8, true) }
    return { size, orientation: 1, uprightEdits: [], mayHaveAlpha: true }
  },
  bmp: (file) => ({ size: bmpSizeOrNull(file), orientation: 1, uprightEdits: [], mayHaveAlpha: true }),
}

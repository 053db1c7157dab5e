/** Decodes TIFF in a browser, which knows no such format by itself. */
import type { RgbImage } from '../../image/image.js'
import { ImageError } from '../../image/image-error.js'
import { type DecodeTiffOptions, decodeTiff, isDecodedHere } from '../../image/tiff/decode-tiff.js'
import { readTiffLayout, refuseForeignTiff } from '../../image/tiff/layout.js'

export async function decodeOwnTiff(
  bytes: Uint8Array,
  label: string,
  options: DecodeTiffOptions,
): Promise<RgbImage> {
  const layout = readTiffLayout(bytes, label)
  if (isDecodedHere(layout)) return await decodeTiff(bytes, layout, label, options)
  refuseForeignTiff(layout, bytes.length, label)
  throw new ImageError(
    'unsupported',
    `${label} is TIFF packed as JPEG or for fax machines, which is not decoded in a browser. Convert it to JPEG or PNG.`,
  )
}

/** Looks at a photo's file for what its pixels, once decoded, no longer show. */
import type { Metadata, Sharp } from 'sharp'
import type { Beyond } from '../../../collection/duplicates/beyond.js'
import { hasBmpAlpha } from '../../../image/bmp/read-bmp.js'
import type { ReadFile } from '../inspect-file.js'
import { loadSharp, READING } from '../sharp-decoder.js'

/** Gives null where decoded pixels are all that the file shows. JPEG and HEIC are one opaque picture each; of others only those with alpha are decoded for this. */
export async function beyondPixels({ bytes, label, file: { format } }: ReadFile): Promise<Beyond | null> {
  if (format === 'jpeg' || format === 'heic') return null
  if (format === 'png' && isAnimatedPng(bytes)) return 'frames'
  if (format === 'bmp') return hasBmpAlpha(bytes, label) ? 'transparency' : null
  const sharp = await loadSharp()
  try {
    const image = sharp(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), READING)
    return await beyondOf(image, await image.metadata())
  } catch {
    // The pixels could be decoded, by this library where not by libvips.
    return 'unknown'
  }
}

async function beyondOf(image: Sharp, { pages = 1, depth, hasAlpha }: Metadata): Promise<Beyond | null> {
  if (pages > 1) return 'frames'
  if (depth !== undefined && depth !== 'uchar') return 'depth'
  if (!hasAlpha) return null
  const { isOpaque } = await image.stats()
  return isOpaque ? null : 'transparency'
}

/** A PNG moves where the chunk acTL stands before its pixels. libvips does not look for it. */
function isAnimatedPng(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let at = 8; at + 8 <= bytes.length; at += 12 + view.getUint32(at)) {
    const kind = view.getUint32(at + 4)
    if (kind === ACTL) return true
    if (kind === IDAT) return false
  }
  return false
}

const ACTL = 0x6163544c
const IDAT = 0x49444154

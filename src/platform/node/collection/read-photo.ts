/** Reads a photo of a collection again, upright, as it was read when it was indexed: whole, or small where that will do. */
import type { Beyond } from '../../../collection/duplicates/beyond.js'
import { DEFAULT_MAX_PIXELS } from '../../../image/decodable.js'
import type { RgbImage } from '../../../image/image.js'
import { turnUpright } from '../../../image/turn-upright.js'
import { decodeFile } from '../decode-image.js'
import { smallPixels } from '../reduce-photo.js'
import { beyondPixels } from './beyond-pixels.js'
import { type OpenPhoto, openPhoto } from './open-photo.js'
import { photoBytes } from './photo-bytes.js'

/** Throws as `decodeImage`. */
export async function readPhoto(path: string, signal: AbortSignal | undefined): Promise<RgbImage> {
  const opened = await open(path, signal)
  const options = { orientation: 'ignore', ...(signal ? { signal } : {}) } as const
  const decoded = await decodeFile(opened, options)
  return turnUpright(decoded, opened.orientation ?? decoded.orientation)
}

/** Gives the photo with a longer side of at most `longest`, where it is a JPEG, and else as it is: a large JPEG is decoded at a part of its size. Says what else the file holds. Throws as `decodeImage`. */
export async function readSmallPhoto(
  path: string,
  longest: number,
  signal: AbortSignal | undefined,
): Promise<{ readonly image: RgbImage; readonly beyond: Beyond | null }> {
  const opened = await open(path, signal)
  const beyond = await beyondPixels(opened)
  if (opened.file.format !== 'jpeg') return { image: await readPhoto(path, signal), beyond }
  const small = await smallPixels(opened, longest, { orientation: 'ignore', ...(signal ? { signal } : {}) })
  return { image: turnUpright(small, opened.orientation ?? opened.file.orientation), beyond }
}

async function open(path: string, signal: AbortSignal | undefined): Promise<OpenPhoto> {
  const bytes = await photoBytes(path, signal)
  return openPhoto(bytes, path, { maxPixels: DEFAULT_MAX_PIXELS, transparency: 'drop' })
}

/** Reads the files of photos where they lie: on a disk of this machine, in a bucket, or on a web server, as the rows of jobs may. */
import { readFile } from 'node:fs/promises'
import { ImageError } from '../../../image/image-error.js'
import { isAddress } from '../../../is-address.js'
import { readImageFile } from '../decode-image.js'
import { FETCH_DEFAULTS } from '../fetch-options.js'
import { OBJECT } from '../storage/object-path.js'

/** Throws `ImageError`; the signal's reason. */
export async function photoBytes(place: string, signal: AbortSignal | undefined): Promise<Uint8Array> {
  if (!isAddress(place)) return await readImageFile(place, signal)
  const options = { ...FETCH_DEFAULTS, signal }
  if (OBJECT.test(place)) {
    const { readObjectImage } = await import('../storage/object-address.js')
    return await readObjectImage(place, options)
  }
  const { fetchImage } = await import('../fetch-image.js')
  return await fetchImage(new URL(place), options)
}

/** Reads what lies beside a photo, whatever it is; null where there is none in a bucket. Throws what the disk and `StorageError` say. */
export async function fileBytes(place: string): Promise<Uint8Array | null> {
  if (!OBJECT.test(place)) return await readFile(place)
  const { readObjectIfThere } = await import('../storage/object-address.js')
  return (await readObjectIfThere(place)) ?? null
}

/** Tells what may pass by itself and says nothing of a photo: its server did not answer. */
export function isPassing(error: unknown): boolean {
  return error instanceof ImageError && error.code === 'download-failed'
}

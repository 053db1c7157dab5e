/** Reads what is told of a photo: in its own file first, then by XMP beside it, then by Google's notes. */
import { type FoundPhoto, tells } from '../../../collection/find-photos.js'
import { joinTold, type Told, toldByTakeout, toldByXmp } from '../../../collection/told.js'
import { isRawName } from '../../../image/camera-raw.js'
import { rawPreviewOrNull } from '../../../image/raw-preview.js'
import { besideOf } from '../storage/object-path.js'
import { fileBytes } from './photo-bytes.js'
import { readExif } from './read-exif.js'

/** What is longer tells of more than one photo. */
const MOST_BYTES = 2 ** 22

/** Gives null for what is not told. A file beside the photo that cannot be read tells nothing. */
export async function readTold(bytes: Uint8Array, { full, path, sidecars }: FoundPhoto): Promise<Told> {
  const inFolder = path.slice(0, path.lastIndexOf('/') + 1).length
  const texts = await Promise.all(
    sidecars
      .filter(tells)
      .map(async (name) => ({ name, text: await textOf(besideOf(full, name.slice(inFolder))) })),
  )
  const isXmp = (name: string) => /\.xmp$/i.test(name)
  const xmp = texts.filter(({ name }) => isXmp(name)).map(({ text }) => toldByXmp(text))
  const notes = texts.filter(({ name }) => !isXmp(name)).map(({ text }) => toldByTakeout(text))
  // Some cameras tell of a raw photo in its preview alone.
  const preview = isRawName(path) ? rawPreviewOrNull(bytes) : null
  const own = [bytes, ...(preview === null ? [] : [preview.bytes])]
  return joinTold([...(await Promise.all(own.map(readExif))), ...xmp, ...notes])
}

async function textOf(path: string): Promise<string> {
  const bytes = await fileBytes(path).catch(() => null)
  return bytes === null || bytes.length > MOST_BYTES ? '' : Buffer.from(bytes).toString('utf8')
}

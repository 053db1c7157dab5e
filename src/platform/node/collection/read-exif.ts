/** Reads what a photo's EXIF and XMP tell of it: when and where it was taken, its caption and its rating. */
import {
  joinTold,
  starsOrNull,
  type Told,
  textOrNull,
  timeOfParts,
  toldByXmp,
} from '../../../collection/told.js'

const PICK = [
  'ImageDescription',
  'Rating',
  'DateTimeOriginal',
  'CreateDate',
  'GPSLatitude',
  'GPSLatitudeRef',
  'GPSLongitude',
  'GPSLongitudeRef',
]

type Tags = Readonly<Record<string, unknown>>

/** Gives null for what is not told. What cannot be read tells nothing: the photo itself may be well. */
export async function readExif(bytes: Uint8Array): Promise<Told> {
  const { default: exifr } = await import('exifr')
  const options = {
    pick: PICK,
    reviveValues: false,
    translateValues: false,
    mergeOutput: false,
    icc: false,
    iptc: false,
  }
  const exif: unknown = await exifr.parse(bytes, { ...options, xmp: false }).catch(() => null)
  const blocks = isTags(exif) ? Object.values(exif).filter(isTags) : []
  const tags: Tags = Object.assign({}, ...blocks)
  const told = {
    taken: timeOf(tags.DateTimeOriginal) ?? timeOf(tags.CreateDate),
    latitude: degreesOf(tags.GPSLatitude, tags.GPSLatitudeRef, 90),
    longitude: degreesOf(tags.GPSLongitude, tags.GPSLongitudeRef, 180),
    caption: textOrNull(tags.ImageDescription),
    rating: starsOrNull(tags.Rating ?? null),
  }
  return joinTold([told, toldByXmp(await xmpOf(bytes))])
}

/** Gives the text of the XMP in a photo, as it stands there. */
async function xmpOf(bytes: Uint8Array): Promise<string> {
  const { default: exifr } = await import('exifr')
  const none = { tiff: false, icc: false, iptc: false, jfif: false, ihdr: false }
  const found: unknown = await exifr.parse(bytes, { ...none, xmp: { parse: false } }).catch(() => null)
  const xmp = isTags(found) ? found.xmp : null
  if (xmp instanceof Uint8Array) return new TextDecoder().decode(xmp)
  return typeof xmp === 'string' ? xmp : ''
}

function isTags(value: unknown): value is Tags {
  return typeof value === 'object' && value !== null
}

/** Reads `2021:05:06 07:08:09`. */
function timeOf(value: unknown): number | null {
  const found = /^(\d{4}):(\d\d):(\d\d) (\d\d):(\d\d):(\d\d)/.exec(typeof value === 'string' ? value : '')
  return found === null ? null : timeOfParts(found.slice(1).map(Number))
}

function degreesOf(value: unknown, side: unknown, most: number): number | null {
  if (!Array.isArray(value) || typeof side !== 'string') return null
  const [degrees = Number.NaN, minutes = 0, seconds = 0] = value.map(Number)
  const sum = degrees + minutes / 60 + seconds / 3600
  if (!(sum >= 0 && sum <= most)) return null
  return side === 'S' || side === 'W' ? -sum : sum
}

/** Reads from a photo's EXIF when and where it was taken. */
import type { Row } from '../../../collection/row-block.js'

const WANTED = [
  'DateTimeOriginal',
  'CreateDate',
  'GPSLatitude',
  'GPSLatitudeRef',
  'GPSLongitude',
  'GPSLongitudeRef',
]

/** Gives `taken`, `latitude` and `longitude`, null where they are not told. What cannot be read tells nothing: the photo itself may be well. */
export async function readExif(bytes: Uint8Array): Promise<Row> {
  const { default: exifr } = await import('exifr')
  const options = {
    pick: WANTED,
    reviveValues: false,
    translateValues: false,
    xmp: false,
    icc: false,
    iptc: false,
  }
  const found: unknown = await exifr.parse(bytes, options).catch(() => null)
  const tags = (typeof found === 'object' && found !== null ? found : {}) as Readonly<Record<string, unknown>>
  return {
    taken: timeOf(tags.DateTimeOriginal) ?? timeOf(tags.CreateDate),
    latitude: degreesOf(tags.GPSLatitude, tags.GPSLatitudeRef, 90),
    longitude: degreesOf(tags.GPSLongitude, tags.GPSLongitudeRef, 180),
  }
}

/** Reads `2021:05:06 07:08:09`. A camera that was never set writes zeros or spaces. */
function timeOf(value: unknown): number | null {
  const found = /^(\d{4}):(\d\d):(\d\d) (\d\d):(\d\d):(\d\d)/.exec(typeof value === 'string' ? value : '')
  if (found === null) return null
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = found.slice(1).map(Number)
  const isReal =
    year > 0 && month >= 1 && month <= 12 && day >= 1 && day <= 31 && hour < 24 && minute < 60 && second < 60
  return isReal ? Date.UTC(year, month - 1, day, hour, minute, second) : null
}

function degreesOf(value: unknown, side: unknown, most: number): number | null {
  if (!Array.isArray(value) || typeof side !== 'string') return null
  const [degrees = Number.NaN, minutes = 0, seconds = 0] = value.map(Number)
  const sum = degrees + minutes / 60 + seconds / 3600
  if (!(sum >= 0 && sum <= most)) return null
  return side === 'S' || side === 'W' ? -sum : sum
}

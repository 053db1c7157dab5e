/** Reads what is told of a photo beside its pixels: by XMP, in the photo or in a file next to it, and by the notes that Google's export has for each photo. */
import { isRecord, parseJsonOrNull } from '../plain-value.js'
import type { Row } from './row-block.js'

/** Is what may be told; null where it is not. */
export interface Told extends Row {
  /** Is in milliseconds since 1970; a time without a zone stands as if it were UTC. */
  readonly taken: number | null
  /** Is in degrees north. */
  readonly latitude: number | null
  /** Is in degrees east. */
  readonly longitude: number | null
  readonly caption: string | null
  /** Is -1 (rejected) or 0 to 5 stars. */
  readonly rating: number | null
}

const NOTHING: Told = { taken: null, latitude: null, longitude: null, caption: null, rating: null }

/** Joins what several sources tell: the first that knows a thing has the word. Of a position either both numbers count or none. */
export function joinTold(sources: readonly Told[]): Told {
  const taken = sources.find((one) => one.taken !== null)?.taken ?? null
  const caption = sources.find((one) => one.caption !== null)?.caption ?? null
  const rating = sources.find((one) => one.rating !== null)?.rating ?? null
  const place = sources.find((one) => one.latitude !== null && one.longitude !== null) ?? NOTHING
  return { taken, latitude: place.latitude, longitude: place.longitude, caption, rating }
}

/** Reads an XMP packet. What cannot be made sense of is not told. */
export function toldByXmp(text: string): Told {
  const when = ['exif:DateTimeOriginal', 'photoshop:DateCreated', 'xmp:CreateDate']
  return {
    taken: when.map((name) => timeOrNull(propertyOrNull(text, name))).find((time) => time !== null) ?? null,
    latitude: degreesOrNull(propertyOrNull(text, 'exif:GPSLatitude'), 90),
    longitude: degreesOrNull(propertyOrNull(text, 'exif:GPSLongitude'), 180),
    caption: textOrNull(propertyOrNull(text, 'dc:description')),
    rating: starsOrNull(propertyOrNull(text, 'xmp:Rating')),
  }
}

/** Reads the notes that Google's export (Takeout) has for a photo; other JSON tells nothing. */
export function toldByTakeout(text: string): Told {
  const found = parseJsonOrNull(text)
  if (!isRecord(found) || !isRecord(found.photoTakenTime)) return NOTHING
  const seconds = Number(found.photoTakenTime.timestamp)
  const places = [found.geoDataExif, found.geoData].filter(isRecord)
  // Google writes zeros where it knows no place.
  const place = places.find(({ latitude, longitude }) => latitude !== 0 || longitude !== 0)
  return {
    taken: Number.isSafeInteger(seconds) && found.photoTakenTime.timestamp !== '' ? seconds * 1000 : null,
    latitude: withinOrNull(place?.latitude, 90),
    longitude: withinOrNull(place?.longitude, 180),
    caption: textOrNull(found.description),
    rating: null,
  }
}

/** Takes stars from a number or a text: -1 to 5. */
export function starsOrNull(value: unknown): number | null {
  const stars = value === null || value === '' ? Number.NaN : Number(value)
  return Number.isInteger(stars) && stars >= -1 && stars <= 5 ? stars : null
}

/** Gives a text without blanks around it; null for none, and for what cameras write into every photo. */
export function textOrNull(value: unknown): string | null {
  const text = typeof value === 'string' ? value.replaceAll('\0', '').trim() : ''
  return text === '' || OF_CAMERAS.test(text) ? null : text
}

const OF_CAMERAS =
  /^(olympus|minolta|konica minolta|sony|samsung|sanyo)?\s*(digital camera|dsc|dcim.*|exif_jpeg_picture)$/i

/** A property is an attribute or an element, by the usual short name of its namespace; of several languages the default one counts. */
function propertyOrNull(text: string, name: string): string | null {
  const [, , attribute] = new RegExp(`\\s${name}\\s*=\\s*(["'])(.*?)\\1`, 's').exec(text) ?? []
  if (attribute !== undefined) return unescaped(attribute)
  const [, element] = new RegExp(`<${name}(?:\\s[^>]*)?>(.*?)</${name}>`, 's').exec(text) ?? []
  if (element === undefined) return null
  const items = [...element.matchAll(/<rdf:li([^>]*)>(.*?)<\/rdf:li>/gs)]
  const [, , item] = items.find(([, attributes = '']) => attributes.includes('x-default')) ?? items[0] ?? []
  return unescaped(item ?? element)
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

function unescaped(text: string): string {
  return text.replace(/&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|(\w+));/gi, (whole, hex, decimal, name) => {
    const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16)
    if (name !== undefined) return ENTITIES[name] ?? whole
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole
  })
}

/** Reads `2021-05-06T07:08:09+02:00`: the time as it was where the photo was taken, as EXIF has it. */
function timeOrNull(text: string | null): number | null {
  const found = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d))?/.exec(text ?? '')
  return found === null ? null : timeOfParts(found.slice(1).map((part) => Number(part ?? 0)))
}

/** Gives the milliseconds of year, month, day, hour, minute and second; null for what is no time. A camera that was never set writes zeros. */
export function timeOfParts(parts: readonly number[]): number | null {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts
  const isReal =
    year > 0 && month >= 1 && month <= 12 && day >= 1 && day <= 31 && hour < 24 && minute < 60 && second < 60
  return isReal ? Date.UTC(year, month - 1, day, hour, minute, second) : null
}

/** Reads `48,51.5N` and `48,51,30N`. */
function degreesOrNull(text: string | null, most: number): number | null {
  const found = /^(\d+),(\d+(?:\.\d+)?)(?:,(\d+(?:\.\d+)?))?([NSEW])$/.exec(text ?? '')
  if (found === null) return null
  const [, degrees, minutes, seconds = 0, side = ''] = found
  const sum = Number(degrees) + Number(minutes) / 60 + Number(seconds) / 3600
  return withinOrNull('SW'.includes(side) ? -sum : sum, most)
}

function withinOrNull(value: unknown, most: number): number | null {
  return typeof value === 'number' && Math.abs(value) <= most ? value : null
}

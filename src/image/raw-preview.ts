/**
 * Finds the picture that a camera lays beside its raw data: a JPEG as it would have saved. Whoever cannot develop raw data looks at that.
 *
 * A DNG says in its directories which images are previews, and is taken at its word, since its raw data may be tiles of JPEG. All other kinds are looked
 * through for whole JPEG images, whose largest one counts.
 */
import { RAW_BYTES } from './camera-raw.js'
import {
  numbersOrNull,
  type TiffDirectory,
  tiffDirectoryAtOrNull,
  tiffDirectoryOrNull,
} from './tiff/directory.js'

/** Is a picture that lies in a raw photo. */
export interface RawPreview {
  /** Are a JPEG. */
  readonly bytes: Uint8Array
  /** Is in pixels, as stored. */
  readonly height: number
  /** Is in pixels, as stored. */
  readonly width: number
  /** Is EXIF's, 1 to 8, as the raw photo says it of itself; null where it does not, and the JPEG's own counts. */
  readonly orientation: number | null
}

/** What has no longer side is a stamp for a camera's screen, and shows too little. */
const LEAST_SIDE = 320

/** Gives the largest picture in a raw photo; null where it has none that is more than a stamp. */
export function rawPreviewOrNull(bytes: Uint8Array): RawPreview | null {
  const first = tiffDirectoryOrNull(bytes)
  const isDng = first?.entries.has(DNG_VERSION) ?? false
  const found = first !== null && isDng ? previewsOfDng(bytes, first) : jpegsWithin(bytes)
  let best: Jpeg | null = null
  for (const one of found) if (best === null || one.height * one.width > best.height * best.width) best = one
  if (best === null || Math.max(best.height, best.width) < LEAST_SIDE) return null
  const { start, end, height, width } = best
  return { bytes: bytes.subarray(start, end), height, width, orientation: orientationOrNull(bytes) }
}

const DNG_VERSION = 50706
const COMPRESSION = 259
const PHOTOMETRIC = 262
const STRIP_OFFSETS = 273
const ORIENTATION = 274
const SUB_DIRECTORIES = 330

const RGB = 2
const YCBCR = 6
const JPEG_COMPRESSIONS = [6, 7]

function* previewsOfDng(bytes: Uint8Array, first: TiffDirectory): Generator<Jpeg> {
  const below = numbersOf(bytes, first, SUB_DIRECTORIES)
  for (const directory of [first, ...below.map((at) => tiffDirectoryAtOrNull(bytes, at, first))]) {
    if (directory === null) continue
    const [photometric = 0] = numbersOf(bytes, directory, PHOTOMETRIC)
    const [compression = 0] = numbersOf(bytes, directory, COMPRESSION)
    const strips = numbersOf(bytes, directory, STRIP_OFFSETS)
    const [start = 0] = strips
    if (
      ![RGB, YCBCR].includes(photometric) ||
      !JPEG_COMPRESSIONS.includes(compression) ||
      strips.length !== 1
    )
      continue
    const found = jpegAtOrNull(bytes, start)
    if (found !== null) yield found
  }
}

/** Goes from one JPEG to the next; what lies within one, such as its own stamp, is passed over. */
function* jpegsWithin(bytes: Uint8Array): Generator<Jpeg> {
  for (let at = bytes.indexOf(0xff); at >= 0; ) {
    const found = bytes[at + 1] === 0xd8 && bytes[at + 2] === 0xff ? jpegAtOrNull(bytes, at) : null
    if (found !== null) yield found
    at = bytes.indexOf(0xff, found?.end ?? at + 1)
  }
}

interface Jpeg {
  readonly start: number
  readonly end: number
  readonly height: number
  readonly width: number
}

const [START_OF_SCAN, TABLES, END] = [0xda, 0xdb, 0xd9]
/** The frames of plain and progressive JPEG; those of lossless JPEG hold raw data. */
const FRAMES = [0xc0, 0xc1, 0xc2]
const OTHER_FRAMES = [0xc3, 0xc5, 0xc6, 0xc7, 0xc9, 0xca, 0xcb, 0xcd, 0xce, 0xcf]

/** Gives a JPEG that begins here and is whole; among raw data a beginning may stand by chance, and then nothing sensible follows. */
function jpegAtOrNull(bytes: Uint8Array, start: number): Jpeg | null {
  if (bytes[start] !== 0xff || bytes[start + 1] !== 0xd8) return null
  let size: Pick<Jpeg, 'height' | 'width'> | null = null
  let hasTables = false
  for (let at = start + 2; at + 1 < bytes.length; ) {
    const marker = bytes[at + 1] ?? 0
    if (bytes[at] !== 0xff) return null
    if (marker === END) return size === null || !hasTables ? null : { start, end: at + 2, ...size }
    if (marker < 0xc0 || (marker >= 0xd0 && marker <= 0xd8) || OTHER_FRAMES.includes(marker)) return null
    if (marker === TABLES) hasTables = true
    if (FRAMES.includes(marker)) {
      if (bytes[at + 4] !== 8 || ![1, 3].includes(bytes[at + 9] ?? 0)) return null
      size = { height: uint16(bytes, at + 5), width: uint16(bytes, at + 7) }
    }
    const next = at + 2 + uint16(bytes, at + 2)
    at = marker === START_OF_SCAN ? afterScan(bytes, next) : next
  }
  return null
}

function uint16(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) * 256 + (bytes[at + 1] ?? 0)
}

/** Within a scan a byte of all ones is followed by a zero, or begins a mark to start again by. */
function afterScan(bytes: Uint8Array, from: number): number {
  for (let at = bytes.indexOf(0xff, from); at >= 0; at = bytes.indexOf(0xff, at + 1)) {
    const next = bytes[at + 1] ?? 0
    if (next !== 0 && next !== 0xff && !(next >= 0xd0 && next <= 0xd7)) return at
  }
  return bytes.length
}

/** Olympus' and Panasonic's files are TIFF but for their mark, and Canon's newest hold one. */
function orientationOrNull(bytes: Uint8Array): number | null {
  const head = bytes.slice(0, RAW_BYTES)
  const mark = String.fromCharCode(...head.subarray(0, 4))
  if (['IIRO', 'IIRS', 'IIU\0'].includes(mark)) head.set([0x2a, 0], 2)
  else if (mark === 'MMOR') head.set([0, 0x2a], 2)
  const inside = mark.startsWith('II') || mark.startsWith('MM') ? 0 : placeOf(head, 'CMT1')
  const structure = head.subarray(inside)
  const directory = tiffDirectoryOrNull(structure)
  const [found = 0] = directory === null ? [] : numbersOf(structure, directory, ORIENTATION)
  return found >= 1 && found <= 8 ? found : null
}

/** Gives the byte behind these letters; the end where they do not stand there. */
function placeOf(bytes: Uint8Array, letters: string): number {
  const codes = [...letters].map((letter) => letter.charCodeAt(0))
  const [first = 0] = codes
  for (let at = bytes.indexOf(first); at >= 0; at = bytes.indexOf(first, at + 1))
    if (codes.every((code, i) => bytes[at + i] === code)) return at + codes.length
  return bytes.length
}

function numbersOf(bytes: Uint8Array, directory: TiffDirectory, tag: number): readonly number[] {
  const entry = directory.entries.get(tag)
  if (entry === undefined || entry.count > MOST_NUMBERS) return []
  return numbersOrNull(bytes, directory, entry) ?? []
}

/** No camera has more directories below one. */
const MOST_NUMBERS = 16

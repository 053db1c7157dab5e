/**
 * Reads what an image file says of itself before any pixel is decoded, its size as stored and its EXIF orientation, for platforms whose decoder
 * tells neither. The formats are JPEG (ITU T.81), PNG (with eXIf), WebP (RFC 9649) and GIF.
 */
import type { ImageFormat } from './image-format.js'

export interface ImageHeader {
  /** Counts pixels as stored, before any turning; it is null where the format is not looked into or the file lies. */
  readonly size: { readonly width: number; readonly height: number } | null
  /** Is EXIF's, 1 to 8, and 1 where there is none. */
  readonly orientation: number
  /** Tells where the file says so, each a 16-bit number. */
  readonly orientationPlaces: readonly NumberPlace[]
  /** Tells whether pixels may be anything but opaque. */
  readonly mayHaveAlpha: boolean
}

export interface NumberPlace {
  /** Counts bytes from the beginning of the file. */
  readonly offset: number
  readonly littleEndian: boolean
}

/** Copies the file so that it says nothing of any turning, for decoders that cannot be told to leave the pixels as they lie. */
export function withoutOrientation(
  bytes: Uint8Array,
  { orientationPlaces }: ImageHeader,
): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(bytes)
  const view = new DataView(copy.buffer)
  for (const { offset, littleEndian } of orientationPlaces) view.setUint16(offset, 1, littleEndian)
  return copy
}

/** Never throws: what cannot be made sense of counts as not there. */
export function readHeader(bytes: Uint8Array, format: ImageFormat): ImageHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  switch (format) {
    case 'jpeg':
      return readJpeg(view)
    case 'png':
      return readPng(view)
    case 'webp':
      return readWebp(view)
    case 'gif':
      return {
        size: bytes.length < 10 ? null : { width: view.getUint16(6, true), height: view.getUint16(8, true) },
        ...UPRIGHT,
        mayHaveAlpha: true,
      }
    default:
      return { size: null, ...UPRIGHT, mayHaveAlpha: true }
  }
}

const UPRIGHT = { orientation: 1, orientationPlaces: [] }
const EXIF = 'Exif\0\0'

function readJpeg(view: DataView): ImageHeader {
  let size: ImageHeader['size'] = null
  const found = new Orientations(view)
  for (let at = 2; at + 4 <= view.byteLength && view.getUint8(at) === 0xff; ) {
    const marker = view.getUint8(at + 1)
    // Bytes may fill the space before a marker, and some markers have no length.
    if (marker === 0xff) {
      at++
      continue
    }
    if (marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8)) {
      at += 2
      continue
    }
    // Here pixels begin, or the file ends.
    if (marker === 0xda || marker === 0xd9) break
    const length = view.getUint16(at + 2)
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)
    if (isFrame && at + 9 <= view.byteLength) {
      size = { height: view.getUint16(at + 5), width: view.getUint16(at + 7) }
    }
    if (marker === 0xe1 && textAt(view, at + 4, 6) === EXIF) {
      found.look(at + 10, at + 2 + length)
    }
    at += 2 + length
  }
  return { size, ...found.result(), mayHaveAlpha: false }
}

function readPng(view: DataView): ImageHeader {
  if (view.byteLength < 33) return { size: null, ...UPRIGHT, mayHaveAlpha: true }
  const size = { width: view.getUint32(16), height: view.getUint32(20) }
  const colourType = view.getUint8(25)
  let mayHaveAlpha = colourType === 4 || colourType === 6
  const found = new Orientations(view)
  for (let at = 8; at + 12 <= view.byteLength; ) {
    const length = view.getUint32(at)
    const kind = textAt(view, at + 4, 4)
    if (kind === 'tRNS') mayHaveAlpha = true
    if (kind === 'eXIf') found.look(at + 8, at + 8 + length)
    if (kind === 'IEND') break
    at += 12 + length
  }
  return { size, ...found.result(), mayHaveAlpha }
}

function readWebp(view: DataView): ImageHeader {
  let size: ImageHeader['size'] = null
  const found = new Orientations(view)
  let mayHaveAlpha = false
  for (let at = 12; at + 8 <= view.byteLength; ) {
    const kind = textAt(view, at, 4)
    const length = view.getUint32(at + 4, true)
    const body = at + 8
    if (kind === 'VP8X' && body + 10 <= view.byteLength) {
      size = { width: uint24(view, body + 4) + 1, height: uint24(view, body + 7) + 1 }
      mayHaveAlpha ||= (view.getUint8(body) & 0x10) !== 0
    }
    if (kind === 'VP8 ' && body + 10 <= view.byteLength) {
      size ??= {
        width: view.getUint16(body + 6, true) & 0x3fff,
        height: view.getUint16(body + 8, true) & 0x3fff,
      }
    }
    if (kind === 'VP8L' && body + 5 <= view.byteLength) {
      const bits = view.getUint32(body + 1, true)
      size ??= { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 }
      mayHaveAlpha = true
    }
    if (kind === 'EXIF') {
      const start = textAt(view, body, 6) === EXIF ? body + 6 : body
      found.look(start, body + length)
    }
    at = body + length + (length % 2)
  }
  return { size, ...found.result(), mayHaveAlpha }
}

const ORIENTATION_TAG = 0x0112
const SHORT = 3

/** Collects the orientations that a file's EXIF blocks give; the first counts. */
class Orientations {
  readonly #view: DataView
  readonly #values: number[] = []
  readonly #places: NumberPlace[] = []

  constructor(view: DataView) {
    this.#view = view
  }

  /** Looks into the first directory of a TIFF structure. */
  look(start: number, end: number): void {
    const view = this.#view
    const limit = Math.min(end, view.byteLength)
    if (start + 8 > limit) return
    const order = textAt(view, start, 2)
    if (order !== 'II' && order !== 'MM') return
    const littleEndian = order === 'II'
    const directory = start + view.getUint32(start + 4, littleEndian)
    if (directory + 2 > limit) return
    const count = view.getUint16(directory, littleEndian)
    for (let i = 0; i < count; i++) {
      const entry = directory + 2 + i * 12
      if (entry + 12 > limit) return
      if (view.getUint16(entry, littleEndian) !== ORIENTATION_TAG) continue
      if (view.getUint16(entry + 2, littleEndian) !== SHORT) return
      const value = view.getUint16(entry + 8, littleEndian)
      if (value < 1 || value > 8) return
      this.#values.push(value)
      this.#places.push({ offset: entry + 8, littleEndian })
      return
    }
  }

  result(): Pick<ImageHeader, 'orientation' | 'orientationPlaces'> {
    return { orientation: this.#values[0] ?? 1, orientationPlaces: this.#places }
  }
}

function uint24(view: DataView, at: number): number {
  return view.getUint16(at, true) + view.getUint8(at + 2) * 65536
}

function textAt(view: DataView, at: number, length: number): string {
  if (at + length > view.byteLength) return ''
  return String.fromCharCode(...new Uint8Array(view.buffer, view.byteOffset + at, length))
}

/**
 * Reads what a Windows bitmap says of itself, by the rules of Pillow's BmpImagePlugin, and refuses by name what Pillow refuses or reads otherwise than every other
 * program.
 */
import { ImageError } from '../image-error.js'

/** Tells where the bytes of a pixel's colours lie; alpha is null where there is none. */
export interface BmpChannels {
  readonly red: number
  readonly green: number
  readonly blue: number
  readonly alpha: number | null
}

export type BmpPixels =
  /** Each is an index of 1, 4 or 8 bits into the palette, uint8 [entries, 3]. */
  | { readonly kind: 'indices'; readonly palette: Uint8Array; readonly runs: boolean }
  | { readonly kind: 'bytes'; readonly channels: BmpChannels }
  /** Each is a number of 16 bits with five of red, five or six of green, and five of blue. */
  | { readonly kind: 'packed'; readonly greenBits: 5 | 6 }

export interface BmpLayout {
  readonly width: number
  readonly height: number
  readonly bits: number
  /** Says that the first row of the file is the upper one. */
  readonly topDown: boolean
  /** Is where the pixels begin, in bytes. */
  readonly offset: number
  readonly pixels: BmpPixels
}

const FILE_HEADER = 14
/** OS/2's first header has sizes of 16 bits and a palette of three bytes an entry. */
const CORE_HEADER = 12
const HEADERS = [CORE_HEADER, 40, 52, 56, 64, 108, 124]
const DEPTHS = [1, 4, 8, 16, 24, 32]

const RAW = 0
const RLE8 = 1
const RLE4 = 2
const BITFIELDS = 3
const COMPRESSIONS: ReadonlyMap<number, string> = new Map([
  [RLE8, 'runs of 8 bits'],
  [RLE4, 'runs of 4 bits'],
  [BITFIELDS, 'masks'],
  [4, 'JPEG'],
  [5, 'PNG'],
  [6, 'masks with alpha'],
])

/** Gives the size alone, for those who ask before anything is decoded; null where the header is none that is read. */
export function bmpSizeOrNull(file: Uint8Array): { readonly width: number; readonly height: number } | null {
  if (file.length < FILE_HEADER + CORE_HEADER) return null
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  const header = view.getUint32(FILE_HEADER, true)
  if (!HEADERS.includes(header) || file.length < FILE_HEADER + header) return null
  if (header === CORE_HEADER) return { width: view.getUint16(18, true), height: view.getUint16(20, true) }
  return { width: view.getUint32(18, true), height: Math.abs(signedHeight(view)) }
}

/** Throws `ImageError`: `unsupported`, `truncated`, `undecodable`. */
export function readBmp(file: Uint8Array, label: string): BmpLayout {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  const header = file.length < FILE_HEADER + 4 ? CORE_HEADER : view.getUint32(FILE_HEADER, true)
  if (!HEADERS.includes(header)) throw unsupportedBmp(label, `its header has ${header} bytes`)
  const size = bmpSizeOrNull(file)
  if (size === null) throw bmpCutOff(label)
  if (size.width === 0 || size.height === 0)
    throw new ImageError(
      'undecodable',
      `${label} is damaged: it is BMP of ${size.width} x ${size.height} pixels. Was it copied completely?`,
    )
  const isCore = header === CORE_HEADER
  const bits = view.getUint16(isCore ? 24 : 28, true)
  const compression = isCore ? RAW : view.getUint32(30, true)
  if (!DEPTHS.includes(bits)) throw unsupportedBmp(label, `its pixels have ${bits} bits`)
  const fields = { view, label, header, bits, compression }
  const palette = bits <= 8 ? readPalette(file, fields) : null
  const masksEnd = FILE_HEADER + header + (compression === BITFIELDS && header === 40 ? 12 : 0)
  const stored = view.getUint32(10, true)
  // Some programs leave the palette out of what they count.
  const isShort = palette !== null && stored === FILE_HEADER + header
  const offset = stored === 0 || isShort ? (palette?.end ?? masksEnd) : stored
  const topDown = !isCore && signedHeight(view) < 0
  const pixels = palette === null ? readColours(fields) : readIndices({ ...fields, colours: palette.colours })
  return { ...size, bits, topDown, offset, pixels }
}

/** Tells whether pixels may be anything but opaque. Throws as `readBmp`. */
export function hasBmpAlpha(file: Uint8Array, label: string): boolean {
  const { pixels } = readBmp(file, label)
  return pixels.kind === 'bytes' && pixels.channels.alpha !== null
}

interface Fields {
  readonly view: DataView
  readonly label: string
  readonly header: number
  readonly bits: number
  readonly compression: number
}

/** Pillow takes a height for negative where its uppermost byte is full. */
function signedHeight(view: DataView): number {
  const height = view.getUint32(22, true)
  return height >= 0xff000000 ? height - 2 ** 32 : height
}

interface Palette {
  /** Are uint8 [entries, 3]. */
  readonly colours: Uint8Array
  /** Is the place after it, in bytes. */
  readonly end: number
}

function readPalette(file: Uint8Array, { view, label, header, bits }: Fields): Palette {
  const step = header === CORE_HEADER ? 3 : 4
  const count = (header === CORE_HEADER ? 0 : view.getUint32(46, true)) || 1 << bits
  if (count > 256) throw unsupportedBmp(label, `its palette has ${count} colours`)
  const start = FILE_HEADER + header
  if (file.length < start + count * step) throw bmpCutOff(label)
  const colours = new Uint8Array(count * 3)
  for (let i = 0; i < count; i++)
    for (let c = 0; c < 3; c++) colours[3 * i + c] = view.getUint8(start + step * i + 2 - c)
  return { colours, end: start + count * step }
}

function readIndices(fields: Fields & { readonly colours: Uint8Array }): BmpPixels {
  const { label, bits, compression, colours } = fields
  const runs = compression === RLE8 || compression === RLE4
  if (compression !== RAW && !runs) throw packedOtherwise(fields)
  if (runs && bits !== (compression === RLE8 ? 8 : 4))
    throw unsupportedBmp(label, `its ${COMPRESSIONS.get(compression)} are of pixels of ${bits} bits`)
  return { kind: 'indices', palette: isGreys(colours) ? levelsOf(fields, runs) : colours, runs }
}

/** Tells a palette of black and white, or of the greys from black on in their order. */
function isGreys(colours: Uint8Array): boolean {
  const white = colours.length === 6 ? 255 : 1
  return colours.every((level, at) => level === (at < 3 ? 0 : at < 6 ? white : Math.floor(at / 3)))
}

/** Pillow passes such palettes over, and takes the pixels for levels: right for black and white of 1 bit and for greys of 8. */
function levelsOf({ label, bits, colours }: Fields & { readonly colours: Uint8Array }, runs: boolean) {
  const isBlackAndWhite = colours.length <= 6
  if (!runs && (bits === 4 || isBlackAndWhite !== (bits === 1)))
    throw unsupportedBmp(
      label,
      `its palette of ${colours.length / 3} greys beside pixels of ${bits} bits is not read alike everywhere`,
    )
  return Uint8Array.from({ length: 768 }, (_, at) =>
    isBlackAndWhite ? (at < 3 ? 0 : 255) : Math.floor(at / 3),
  )
}

/** Names the bytes of 32-bit pixels by the masks of red, green, blue and alpha that Pillow knows. */
const MASKED_BYTES: ReadonlyMap<string, BmpChannels> = new Map([
  ['ff0000 ff00 ff 0', { red: 2, green: 1, blue: 0, alpha: null }],
  ['ff000000 ff0000 ff00 0', { red: 3, green: 2, blue: 1, alpha: null }],
  ['ff000000 ff00 ff 0', { red: 3, green: 1, blue: 0, alpha: null }],
  ['ff000000 ff0000 ff00 ff', { red: 3, green: 2, blue: 1, alpha: 0 }],
  ['ff ff00 ff0000 ff000000', { red: 0, green: 1, blue: 2, alpha: 3 }],
  ['ff0000 ff00 ff ff000000', { red: 2, green: 1, blue: 0, alpha: 3 }],
  ['ff000000 ff00 ff ff0000', { red: 3, green: 1, blue: 0, alpha: 2 }],
  ['0 0 0 0', { red: 2, green: 1, blue: 0, alpha: 3 }],
])

const BGR: BmpPixels = { kind: 'bytes', channels: { red: 2, green: 1, blue: 0, alpha: null } }

function readColours(fields: Fields): BmpPixels {
  const { label, bits, compression } = fields
  if (compression === RAW) return bits === 16 ? { kind: 'packed', greenBits: 5 } : BGR
  if (compression !== BITFIELDS) throw packedOtherwise(fields)
  const masks = readMasks(fields)
  if (bits === 32) {
    const channels = MASKED_BYTES.get(masks.join(' '))
    if (channels !== undefined) return { kind: 'bytes', channels }
  }
  const colours = masks.slice(0, 3).join(' ')
  if (bits === 24 && colours === 'ff0000 ff00 ff') return BGR
  if (bits === 16 && colours === 'f800 7e0 1f') return { kind: 'packed', greenBits: 6 }
  if (bits === 16 && colours === '7c00 3e0 1f') return { kind: 'packed', greenBits: 5 }
  throw unsupportedBmp(label, `its pixels of ${bits} bits have the masks ${masks.join(' ')}`)
}

/** Gives the four masks as hexadecimal digits. Only the longer headers have one of alpha. */
function readMasks({ view, label, header }: Fields): readonly string[] {
  const start = FILE_HEADER + 40
  if (view.byteLength < start + 12) throw bmpCutOff(label)
  return [0, 1, 2, 3].map((at) =>
    at === 3 && header < 56 ? '0' : view.getUint32(start + 4 * at, true).toString(16),
  )
}

function packedOtherwise({ label, bits, compression }: Fields): ImageError {
  const way = COMPRESSIONS.get(compression) ?? `compression ${compression}`
  return unsupportedBmp(label, `its pixels of ${bits} bits are packed with ${way}`)
}

export function unsupportedBmp(label: string, what: string): ImageError {
  return new ImageError(
    'unsupported',
    `${label} is BMP of a kind that is not decoded: ${what}. Convert it to JPEG or PNG.`,
  )
}

export function bmpCutOff(label: string): ImageError {
  return new ImageError(
    'truncated',
    `${label} is cut off: it ends before its image does. Was it copied or downloaded completely?`,
  )
}

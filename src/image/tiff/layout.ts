/**
 * Reads how the first image of a TIFF is laid out, with the defaults and repairs of Pillow's TiffImagePlugin, and refuses by name what is not decoded.
 */
import { ImageError } from '../image-error.js'
import { firstNumberOrNull, numbersOrNull, type TiffDirectory, tiffDirectoryOrNull } from './directory.js'
import { type TiffColours, type TiffPixels, tiffColoursOrNull } from './modes.js'

export interface TiffLayout extends TiffPixels {
  readonly width: number
  readonly height: number
  readonly colours: TiffColours
  readonly compression: number
  readonly predictor: number
  /** 1 keeps the samples of a pixel together, 2 keeps each in a plane of its own. */
  readonly planes: number
  /** Holds red, green and blue of each entry as 8 bits; it is empty where there is no palette. */
  readonly palette: Uint8Array
  readonly pieces: TiffPieces
  /** Says for how many pixels there is one colour, across and down; null where the file does not. */
  readonly subsampling: readonly number[] | null
}

/** An image lies in strips, which are as wide as it is, or in tiles. */
export interface TiffPieces {
  readonly width: number
  readonly height: number
  readonly offsets: readonly number[]
  /** May be empty: what is not compressed needs none. */
  readonly byteCounts: readonly number[]
}

export const COMPRESSIONS: ReadonlyMap<number, string> = new Map([
  [1, 'none'],
  [2, 'CCITT Huffman'],
  [3, 'CCITT Group 3'],
  [4, 'CCITT Group 4'],
  [5, 'LZW'],
  [6, 'old-style JPEG'],
  [7, 'JPEG'],
  [8, 'Deflate'],
  [32766, 'NeXT'],
  [32771, 'CCITT RLE with words'],
  [32773, 'PackBits'],
  [32809, 'ThunderScan'],
  [32946, 'Deflate'],
  [33003, 'JPEG 2000'],
  [33005, 'JPEG 2000'],
  [34661, 'JBIG'],
  [34676, 'SGI LogLuv'],
  [34677, 'SGI LogLuv of 24 bits'],
  [34712, 'JPEG 2000'],
  [34887, 'LERC'],
  [34892, 'lossy JPEG of DNG'],
  [34925, 'LZMA'],
  [50000, 'ZSTD'],
  [50001, 'WebP'],
  [50002, 'JPEG XL'],
])

const PHOTOMETRICS: ReadonlyMap<number, string> = new Map([
  [0, 'white at zero'],
  [1, 'black at zero'],
  [2, 'RGB'],
  [3, 'palette'],
  [4, 'mask'],
  [5, 'CMYK'],
  [6, 'YCbCr'],
  [8, 'CIELAB'],
  [9, 'ICCLAB'],
  [10, 'ITULAB'],
  [32803, 'colour filter array'],
  [32844, 'LogL'],
  [32845, 'LogLuv'],
  [34892, 'linear raw'],
])

const TAGS = {
  subfileType: 254,
  width: 256,
  height: 257,
  bits: 258,
  compression: 259,
  photometric: 262,
  fillOrder: 266,
  stripOffsets: 273,
  samples: 277,
  rowsPerStrip: 278,
  stripByteCounts: 279,
  planes: 284,
  predictor: 317,
  palette: 320,
  tileWidth: 322,
  tileHeight: 323,
  tileOffsets: 324,
  tileByteCounts: 325,
  extraSamples: 338,
  sampleFormat: 339,
  subsampling: 530,
  dngVersion: 50706,
} as const

const JPEG_TABLES = 347

/** Throws `ImageError` `truncated` where the directory is not whole, `unsupported` for what is not decoded. */
export function readTiffLayout(file: Uint8Array, label: string): TiffLayout {
  const directory = tiffDirectoryOrNull(file)
  if (directory === null) throw truncated(label, 'its directory lies outside of the file')
  // What is missing could have said anything.
  const missing = [...Object.values(TAGS), JPEG_TABLES].find((tag) => directory.cut.has(tag))
  if (directory.isShort || missing !== undefined) {
    throw truncated(
      label,
      `its directory${missing === undefined ? '' : `'s tag ${missing}`} reaches past the end of the file`,
    )
  }
  const tags = new Tags(file, directory)
  refusePreviews(tags, label)
  const [width, height] = [tags.number('width'), tags.number('height')]
  if (width === null || height === null || width < 1 || height < 1) {
    throw truncated(label, 'it says no width and height')
  }
  const compression = tags.number('compression') ?? 1
  const pixels = readPixels(tags, directory, compression, label)
  const colours = tiffColoursOrNull(pixels)
  if (colours === null) throw unsupported(label, `it is TIFF with ${describePixels(pixels)}`)
  const pieces = readPieces(tags, width, height)
  if (pieces === null) throw truncated(label, 'it does not say where its pixels lie')
  const palette = colours === 'palette' ? readPalette(tags, label) : new Uint8Array()
  const planes = tags.number('planes') ?? 1
  const predictor = tags.number('predictor') ?? 1
  const subsampling = tags.numbers('subsampling')
  return { ...pixels, width, height, colours, compression, predictor, planes, palette, pieces, subsampling }
}

/** A camera's raw photo begins with a preview, which Pillow takes for the photo. */
function refusePreviews(tags: Tags, label: string): void {
  if (tags.has('dngVersion')) throw unsupported(label, "it is a camera's raw photo (DNG)")
  if (((tags.number('subfileType') ?? 0) & 1) === 1) {
    throw unsupported(label, "its first image is the preview of another, as in a camera's raw photo")
  }
}

function readPixels(
  tags: Tags,
  { littleEndian }: TiffDirectory,
  compression: number,
  label: string,
): TiffPixels {
  // What is compressed the old JPEG way is YCbCr, whatever it says.
  const photometric = compression === 6 ? 6 : (tags.number('photometric') ?? 0)
  const formats = tags.numbers('sampleFormat') ?? [1]
  if (formats.some((format) => format !== formats[0])) {
    throw unsupported(label, 'it is TIFF whose samples are of several kinds')
  }
  const isSeparate = tags.number('planes') === 2
  let samples = tags.number('samples') ?? (compression === 6 ? 3 : 1)
  let bits = tags.numbers('bits') ?? [1]
  let extraSamples = tags.numbers('extraSamples') ?? []
  // Planes that nobody knows the meaning of can be left out.
  if (isSeparate && extraSamples.length > 0 && extraSamples.every((extra) => extra === 0)) {
    bits = bits.slice(0, bits.length - extraSamples.length)
    samples -= extraSamples.length
    extraSamples = []
  }
  if (samples > MOST_SAMPLES) throw unsupported(label, `it is TIFF with ${samples} samples a pixel`)
  if (samples < bits.length) bits = bits.slice(0, samples)
  else if (bits.length === 1) bits = Array.from({ length: samples }, () => bits[0] ?? 1)
  if (bits.length !== samples) {
    throw unsupported(
      label,
      `it is TIFF with ${samples} samples a pixel, of which it describes ${bits.length}`,
    )
  }
  const fillOrder = tags.number('fillOrder') ?? 1
  return { photometric, sampleFormat: formats[0] ?? 1, fillOrder, bits, extraSamples, littleEndian }
}

/** No kind of pixel has more. */
const MOST_SAMPLES = 6

function readPieces(tags: Tags, width: number, height: number): TiffPieces | null {
  const strips = tags.numbers('stripOffsets')
  if (strips !== null) {
    const rows = Math.min(tags.number('rowsPerStrip') ?? height, height)
    if (rows < 1) return null
    return { width, height: rows, offsets: strips, byteCounts: tags.numbers('stripByteCounts') ?? [] }
  }
  const tiles = tags.numbers('tileOffsets')
  const [tileWidth, tileHeight] = [tags.number('tileWidth'), tags.number('tileHeight')]
  if (tiles === null || tileWidth === null || tileHeight === null || tileWidth < 1 || tileHeight < 1)
    return null
  return {
    width: tileWidth,
    height: tileHeight,
    offsets: tiles,
    byteCounts: tags.numbers('tileByteCounts') ?? [],
  }
}

/** The file has all reds, then all greens, then all blues, of 16 bits each; the upper byte counts. */
function readPalette(tags: Tags, label: string): Uint8Array {
  const values = tags.numbers('palette')
  if (values === null || values.length % 3 !== 0) throw truncated(label, 'its palette is missing')
  const entries = values.length / 3
  const palette = new Uint8Array(values.length)
  for (const [i, value] of values.entries()) {
    palette[(i % entries) * 3 + Math.floor(i / entries)] = value >> 8
  }
  return palette
}

type TagName = keyof typeof TAGS

class Tags {
  readonly #file: Uint8Array
  readonly #directory: TiffDirectory

  constructor(file: Uint8Array, directory: TiffDirectory) {
    this.#file = file
    this.#directory = directory
  }

  has(name: TagName): boolean {
    return this.#directory.entries.has(TAGS[name])
  }

  number(name: TagName): number | null {
    const entry = this.#directory.entries.get(TAGS[name])
    return entry === undefined ? null : firstNumberOrNull(this.#file, this.#directory, entry)
  }

  numbers(name: TagName): readonly number[] | null {
    const entry = this.#directory.entries.get(TAGS[name])
    return entry === undefined ? null : numbersOrNull(this.#file, this.#directory, entry)
  }
}

/**
 * Says by name which packings no decoder of a platform is asked for. Throws `ImageError` `unsupported`; `truncated` where the file ends before what it
 * should hold.
 *
 * @param length counts the bytes of the file
 */
export function refuseForeignTiff(layout: TiffLayout, length: number, label: string): void {
  const { compression, colours, bits, extraSamples, planes, pieces } = layout
  const ends = pieces.offsets.map((offset, i) => offset + (pieces.byteCounts[i] ?? 0))
  const end = ends.reduce((last, one) => Math.max(last, one), 0)
  if (end > length) throw truncated(label, `its pixels end at byte ${end}, and the file at ${length}`)
  const packing = COMPRESSIONS.get(compression) ?? `compression ${compression}`
  const isFax = FAX.includes(compression)
  if (!isFax && compression !== JPEG) throw unsupported(label, `it is TIFF packed with ${packing}`)
  const isBilevel = bits.length === 1 && bits[0] === 1 && ['grey', 'inverted-grey'].includes(colours)
  const isPhoto = bits.every((depth) => depth === 8) && extraSamples.length === 0 && colours !== 'palette'
  if (isFax ? isBilevel : isPhoto && (planes === 1 || bits.length === 1)) return
  throw unsupported(label, `it is TIFF with ${colours} of ${bits.join(' + ')} bits, packed with ${packing}`)
}

const FAX = [2, 3, 4]
const JPEG = 7

function describePixels({
  photometric,
  sampleFormat,
  fillOrder,
  bits,
  extraSamples,
  littleEndian,
}: TiffPixels): string {
  const colours = PHOTOMETRICS.get(photometric) ?? `photometric interpretation ${photometric}`
  const format = ['', 'unsigned', 'signed', 'floating-point'][sampleFormat] ?? `sample format ${sampleFormat}`
  const extra = extraSamples.length === 0 ? '' : `, extra samples ${extraSamples.join(' ')}`
  const order = fillOrder === 1 ? '' : `, fill order ${fillOrder}`
  const bytes = littleEndian ? '' : ', big-endian'
  return `${colours} in ${bits.join(' + ')} bits, ${format}${extra}${order}${bytes}`
}

export function unsupported(label: string, what: string): ImageError {
  return new ImageError(
    'unsupported',
    `${label} is of a kind that is not decoded: ${what}. Convert it to PNG.`,
  )
}

export function truncated(label: string, what: string): ImageError {
  return new ImageError(
    'truncated',
    `${label} is damaged or cut off: ${what}. Was it copied or downloaded completely?`,
  )
}

/**
 * Decodes the first image of a TIFF to the very pixels of Pillow 13's `convert('RGB')`: all that is not packed as JPEG or for fax machines, whose decoders
 * a platform has.
 */
import {
  rgbFrom8Bits,
  rgbFromCmyk,
  rgbFromPalette,
  rgbFromPremultiplied,
  rgbFromYcbcr,
  rgbOnWhite,
} from '../../kernels/to-rgb.js'
import {
  type UnpackSamples,
  unpack12Bits,
  unpackBits,
  unpackBytes,
  unpackClipped,
  unpackUpperBytes,
} from '../../kernels/unpack-samples.js'
import type { RgbImage } from '../image.js'
import type { Transparency } from '../preparation.js'
import { type Decompress, decompressOrNull } from './decompress.js'
import { COMPRESSIONS, type TiffLayout, truncated, unsupported } from './layout.js'
import { alphaSampleOrNull, type TiffColours } from './modes.js'
import { type Prediction, undoPredictionOrNull } from './predict.js'

const NONE = 1
const PACKED_WITH_PREDICTION = [5, 8, 32946]
const SEPARATE = 2

/** Tells whether `decodeTiff` decodes this, or a platform's own decoder has to. */
export function isDecodedHere({ compression }: Pick<TiffLayout, 'compression'>): boolean {
  return decompressOrNull(compression) !== null
}

export interface DecodeTiffOptions {
  readonly signal?: AbortSignal | undefined
  /** Is a platform's own way to inflate; default: one in JavaScript. */
  readonly inflate?: Decompress
  /** Says whether colours are laid on white by their alpha; default `drop`. */
  readonly transparency?: Transparency
}

/** Waits between pieces, so that a large image does not hold up its thread. Throws `ImageError` `truncated`, `unsupported`; the signal's reason. */
export async function decodeTiff(
  file: Uint8Array,
  layout: TiffLayout,
  label: string,
  { signal, inflate, transparency = 'drop' }: DecodeTiffOptions = {},
): Promise<RgbImage> {
  const reason = reasonToRefuse(layout)
  if (reason !== null) throw unsupported(label, reason)
  const { width, height, bits, colours, palette } = layout
  const samples = bits.length
  const levels = new Uint8Array(height * width * samples)
  const decompress = decompressOrNull(layout.compression, inflate)
  if (decompress === null) throw unsupported(label, 'its packing is left to other decoders')
  const way = { decompress, unpack: unpackerOf(layout) }
  let waiting = 0
  for (const piece of piecesOf(layout, label)) {
    waiting += piece.rows * width
    if (waiting >= PIXELS_BETWEEN_WAITS) {
      waiting = 0
      await new Promise<void>((resolve) => setTimeout(resolve, 0))
      signal?.throwIfAborted()
    }
    placePiece({ file, layout, label }, way, piece, levels)
  }
  const rgb = TO_RGB[colours](levels, samples, palette)
  const alphaAt = transparency === 'white' ? alphaSampleOrNull(layout) : null
  return { height, width, data: alphaAt === null ? rgb : rgbOnWhite(rgb, levels, samples, alphaAt) }
}

const PIXELS_BETWEEN_WAITS = 2 ** 20

/** A tile may be larger than its image, but not so large that nobody would have written it. */
const MOST_PIXELS_OF_A_PIECE = 2 ** 24

/** Names what Pillow or libtiff does not read, or reads as nobody meant it, so that there is no right value. */
function reasonToRefuse(layout: TiffLayout): string | null {
  const { compression, colours, predictor, planes, bits, fillOrder, width, height, pieces } = layout
  const [depth = 8] = bits
  const packing = COMPRESSIONS.get(compression) ?? `compression ${compression}`
  const isSeparate = planes === SEPARATE && bits.length > 1
  if (pieces.width * pieces.height > Math.max(MOST_PIXELS_OF_A_PIECE, width * height)) {
    return `it is TIFF in pieces of ${pieces.width} x ${pieces.height}, of an image of ${width} x ${height}`
  }
  if (colours === 'ycbcr' && (compression !== NONE || isSeparate || !isWholeYcbcr(layout))) {
    return `it is TIFF with YCbCr, packed with ${packing}${isSeparate ? ' in planes' : ''}, or with fewer colours than pixels`
  }
  if (compression === NONE && isSeparate && (depth !== 8 || fillOrder !== 1)) {
    return `it is TIFF with unpacked planes of ${depth} bits and fill order ${fillOrder}`
  }
  if (compression === NONE) return null
  if (isSeparate && colours === 'rgb' && bits.length === 4 && layout.extraSamples.length === 0) {
    return `it is TIFF with planes, packed with ${packing}, of which the fourth is not described`
  }
  if (!layout.littleEndian && colours === 'clipped-grey' && (depth === 32 || layout.sampleFormat === 2)) {
    return `it is TIFF with big-endian numbers of ${depth} bits, packed with ${packing}`
  }
  if (!PACKED_WITH_PREDICTION.includes(compression)) return null
  return undoPredictionOrNull(predictionOf(layout)) === null
    ? `it is TIFF with predictor ${predictor} on samples of ${depth} bits`
    : null
}

/** Where the file does not say that colours are as many as pixels, the lengths of its strips tell. */
function isWholeYcbcr({ subsampling, pieces, width, height, bits }: TiffLayout): boolean {
  if (subsampling !== null) return subsampling.every((factor) => factor === 1)
  const bytes = pieces.byteCounts.reduce((sum, count) => sum + count, 0)
  return pieces.width === width && bytes === width * height * bits.length
}

function predictionOf({ predictor, bits, planes, littleEndian }: TiffLayout): Prediction {
  const [depth = 8] = bits
  return { predictor, bits: depth, samples: planes === SEPARATE ? 1 : bits.length, littleEndian }
}

interface Piece {
  readonly offset: number
  readonly byteCount: number | undefined
  readonly top: number
  readonly left: number
  /** Counts those inside the image; tiles may reach over its edges. */
  readonly rows: number
  readonly columns: number
  readonly plane: number
}

function* piecesOf(layout: TiffLayout, label: string): Generator<Piece> {
  const { width, height, planes, bits, compression } = layout
  const { offsets, byteCounts, width: pieceWidth, height: pieceHeight } = layout.pieces
  const across = Math.ceil(width / pieceWidth)
  const down = Math.ceil(height / pieceHeight)
  const layers = planes === SEPARATE ? bits.length : 1
  // Of several pieces that each cover the whole image, Pillow takes the last.
  const isCovering = compression === NONE && pieceWidth === width && pieceHeight === height
  const first = isCovering && layers === 1 ? offsets.length - 1 : 0
  for (let i = 0; i < layers * across * down; i++) {
    const offset = offsets[first + i]
    if (offset === undefined)
      throw truncated(label, `of ${layers * across * down} pieces it has ${offsets.length}`)
    const place = i % (across * down)
    const [top, left] = [Math.floor(place / across) * pieceHeight, (place % across) * pieceWidth]
    yield {
      offset,
      byteCount: byteCounts[first + i],
      top,
      left,
      rows: Math.min(pieceHeight, height - top),
      columns: Math.min(pieceWidth, width - left),
      plane: Math.floor(i / (across * down)),
    }
  }
}

interface TiffFile {
  readonly file: Uint8Array
  readonly layout: TiffLayout
  readonly label: string
}

interface WayToLevels {
  readonly decompress: Decompress
  readonly unpack: UnpackSamples
}

function placePiece(
  { file, layout, label }: TiffFile,
  { decompress, unpack }: WayToLevels,
  piece: Piece,
  levels: Uint8Array,
): void {
  const { compression, bits, planes, littleEndian, fillOrder, width, pieces } = layout
  const [depth = 8] = bits
  const samples = planes === SEPARATE ? 1 : bits.length
  const rowBytes = Math.ceil((pieces.width * samples * depth) / 8)
  const isStrip = pieces.width === width
  const unpacked = new Uint8Array(rowBytes * (isStrip ? piece.rows : pieces.height))
  // Where a length is not told, packing has made the piece larger by half at the most.
  const length = compression === NONE ? unpacked.length : (piece.byteCount ?? unpacked.length * 1.5 + 64)
  const packed = file.subarray(piece.offset, piece.offset + length)
  const stored = fillOrder === 2 ? packed.map(reversedBits) : packed
  if (!decompress(stored, unpacked)) {
    throw truncated(label, `the piece at byte ${piece.offset} of the file is not whole`)
  }
  const prediction = predictionOf(layout)
  const undo = PACKED_WITH_PREDICTION.includes(compression) ? undoPredictionOrNull(prediction) : null
  for (let y = 0; y < piece.rows; y++) {
    const row = unpacked.subarray(y * rowBytes, (y + 1) * rowBytes)
    undo?.(row, prediction)
    const first = ((piece.top + y) * width + piece.left) * bits.length + piece.plane
    unpack(row, piece.columns * samples, levels, first, planes === SEPARATE ? bits.length : 1, littleEndian)
  }
}

function reversedBits(byte: number): number {
  let reversed = 0
  for (let bit = 0; bit < 8; bit++) reversed |= ((byte >> bit) & 1) << (7 - bit)
  return reversed
}

function unpackerOf({ bits, sampleFormat, colours }: TiffLayout): UnpackSamples {
  const [depth = 8] = bits
  if (depth < 8) return unpackBits(depth, colours === 'palette' ? 1 : 255 / (2 ** depth - 1))
  if (depth === 8) return unpackBytes
  if (depth === 12) return unpack12Bits
  if (colours !== 'clipped-grey') return unpackUpperBytes
  if (depth === 16) {
    return sampleFormat === 2
      ? unpackClipped(2, (view, at, little) => view.getInt16(at, little))
      : unpackClipped(2, (view, at, little) => view.getUint16(at, little))
  }
  // Pillow reads numbers of 32 bits as signed, whether they are or not.
  return sampleFormat === 3
    ? unpackClipped(4, (view, at, little) => view.getFloat32(at, little))
    : unpackClipped(4, (view, at, little) => view.getInt32(at, little))
}

type ToRgb = (levels: Uint8Array, samples: number, palette: Uint8Array) => Uint8Array

const TO_RGB: { readonly [colours in TiffColours]: ToRgb } = {
  grey: greyToRgb,
  'inverted-grey': (levels, samples) =>
    greyToRgb(
      levels.map((level) => 255 - level),
      samples,
    ),
  'clipped-grey': greyToRgb,
  palette: rgbFromPalette,
  rgb: rgbFrom8Bits,
  'premultiplied-rgb': rgbFromPremultiplied,
  cmyk: rgbFromCmyk,
  ycbcr: rgbFromYcbcr,
}

function greyToRgb(levels: Uint8Array, samples: number): Uint8Array {
  return rgbFrom8Bits(levels, samples)
}

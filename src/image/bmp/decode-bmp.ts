/** Decodes a Windows bitmap to the very pixels of Pillow 13's `convert('RGB')`, which no decoder of a platform does for every kind. */
import { rgbFromPalette, rgbOnWhite } from '../../kernels/to-rgb.js'
import { unpackBits, unpackBytes } from '../../kernels/unpack-samples.js'
import type { RgbImage } from '../image.js'
import type { Transparency } from '../preparation.js'
import { type BmpChannels, type BmpLayout, bmpCutOff, readBmp, unsupportedBmp } from './read-bmp.js'

/**
 * Throws `ImageError`: `unsupported`, `truncated`, `undecodable`.
 *
 * @param transparency lays colours on white by the alpha that a file has, or drops that
 */
export function decodeBmp(file: Uint8Array, label: string, transparency: Transparency): RgbImage {
  const layout = readBmp(file, label)
  const { width, height, pixels } = layout
  if (pixels.kind !== 'indices' || !pixels.runs) assertWhole(file, layout, label)
  if (pixels.kind === 'indices') {
    const indices = pixels.runs ? unpackRuns(file, layout, label) : unpackIndices(file, layout)
    return { width, height, data: rgbFromPalette(indices, 1, pixels.palette) }
  }
  if (pixels.kind === 'packed') return { width, height, data: unpackColours(file, layout, pixels.greenBits) }
  return { width, height, data: takeBytes(file, layout, pixels.channels, transparency) }
}

/** Counts the bytes of a row, which are whole groups of four. */
function stepOf({ width, bits }: BmpLayout): number {
  return Math.ceil((width * bits) / 32) * 4
}

/** Comes before memory is taken, since a header may claim anything. */
function assertWhole(file: Uint8Array, layout: BmpLayout, label: string): void {
  const { width, height, bits, offset } = layout
  if (offset + stepOf(layout) * (height - 1) + Math.ceil((width * bits) / 8) > file.length)
    throw bmpCutOff(label)
}

/** Gives each row of the file with its place in the image. */
function* rowsOf(file: Uint8Array, layout: BmpLayout) {
  const { height, topDown, offset } = layout
  const step = stepOf(layout)
  for (let y = 0; y < height; y++)
    yield { y: topDown ? y : height - 1 - y, row: file.subarray(offset + y * step, offset + (y + 1) * step) }
}

function unpackIndices(file: Uint8Array, layout: BmpLayout): Uint8Array {
  const { width, height, bits } = layout
  const indices = new Uint8Array(width * height)
  const unpack = bits === 8 ? unpackBytes : unpackBits(bits, 1)
  for (const { y, row } of rowsOf(file, layout)) unpack(row, width, indices, y * width, 1, true)
  return indices
}

function takeBytes(
  file: Uint8Array,
  layout: BmpLayout,
  { red, green, blue, alpha }: BmpChannels,
  transparency: Transparency,
): Uint8Array {
  const { width, height, bits } = layout
  const size = bits / 8
  const data = new Uint8Array(width * height * 3)
  const alphas = transparency === 'white' && alpha !== null ? new Uint8Array(width * height) : null
  for (const { y, row } of rowsOf(file, layout))
    for (let x = 0, from = 0, to = y * width; x < width; x++, from += size, to++) {
      data[3 * to] = row[from + red] ?? 0
      data[3 * to + 1] = row[from + green] ?? 0
      data[3 * to + 2] = row[from + blue] ?? 0
      if (alphas !== null && alpha !== null) alphas[to] = row[from + alpha] ?? 0
    }
  return alphas === null ? data : rgbOnWhite(data, alphas, 1, 0)
}

/** Levels of five and six bits are spread over 0 to 255, rounded down. */
function unpackColours(file: Uint8Array, layout: BmpLayout, greenBits: 5 | 6): Uint8Array {
  const { width, height } = layout
  const most = 2 ** greenBits - 1
  const data = new Uint8Array(width * height * 3)
  for (const { y, row } of rowsOf(file, layout)) {
    const view = new DataView(row.buffer, row.byteOffset, row.byteLength)
    for (let x = 0, to = y * width * 3; x < width; x++, to += 3) {
      const pixel = view.getUint16(2 * x, true)
      data[to] = Math.floor((((pixel >> (5 + greenBits)) & 31) * 255) / 31)
      data[to + 1] = Math.floor((((pixel >> 5) & most) * 255) / most)
      data[to + 2] = Math.floor(((pixel & 31) * 255) / 31)
    }
  }
  return data
}

const END_OF_ROW = 0
const END_OF_IMAGE = 1
const SKIP = 2

/** Runs that reach over the end of their row are cut there, as Pillow does. An image that ends too soon is none. */
function unpackRuns(file: Uint8Array, layout: BmpLayout, label: string): Uint8Array {
  const { width, height, bits, topDown } = layout
  const stored = new Uint8Array(width * height)
  let filled = 0
  let column = 0
  let at = layout.offset
  const next = (): number => {
    const byte = file[at++]
    if (byte === undefined) throw bmpCutOff(label)
    return byte
  }
  while (filled < stored.length) {
    const count = next()
    const value = next()
    if (count > 0) {
      const kept = Math.min(count, Math.max(0, width - column), stored.length - filled)
      for (let i = 0; i < kept; i++) stored[filled++] = bits === 8 ? value : nibble(value, i)
      column += kept
    } else if (value === END_OF_ROW) {
      filled = Math.ceil(filled / width) * width
      column = 0
    } else if (value === END_OF_IMAGE) {
      throw unsupportedBmp(label, 'its runs leave out the end of the image')
    } else if (value === SKIP) {
      filled = Math.min(stored.length, filled + next() + next() * width)
      column = filled % width
    } else {
      for (let i = 0, byte = 0; i < value; i++) {
        if (bits === 8 || i % 2 === 0) byte = next()
        if (filled < stored.length) stored[filled++] = bits === 8 ? byte : nibble(byte, i)
      }
      column += value
      // What is no run is filled up to two bytes.
      if (at % 2 !== 0) at++
    }
  }
  if (topDown) return stored
  const indices = new Uint8Array(stored.length)
  for (let y = 0; y < height; y++)
    indices.set(stored.subarray(y * width, (y + 1) * width), (height - 1 - y) * width)
  return indices
}

function nibble(byte: number, at: number): number {
  return at % 2 === 0 ? byte >> 4 : byte & 15
}

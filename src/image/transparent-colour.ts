/**
 * Finds the one colour that a PNG or GIF declares to be transparent. Pillow keeps it in mind beside the RGB pixels, where a later step may
 * remember it; decoders tend to lose it.
 */
import type { ImageFormat } from './image-format.js'

export type Colour = readonly [red: number, green: number, blue: number]

/** Gives null where no single colour is declared: an alpha channel or a palette of several transparencies is something else. */
export function transparentColourOfPng(bytes: Uint8Array): Colour | null {
  if (bytes.length < 26) return null
  const header = viewOf(bytes)
  const [depth, colourType] = [header.getUint8(24), header.getUint8(25)]
  const chunks = pngChunks(bytes)
  const transparency = chunks.get('tRNS')
  if (transparency === undefined) return null
  if (colourType === 3) return paletteColour(transparency, chunks.get('PLTE'))
  if (depth > 8 || depth === 1) return null
  const levels = viewOf(transparency)
  if (colourType === 0 && transparency.length >= 2) {
    const grey = levels.getUint16(0)
    return [grey, grey, grey]
  }
  if (colourType !== 2 || transparency.length < 6) return null
  return [levels.getUint16(0), levels.getUint16(2), levels.getUint16(4)]
}

/** Tells a PNG whose pixels are grey or colours and nothing else: what is transparent in it, if anything, is one colour. */
export function isPngWithoutAlpha(bytes: Uint8Array, format: ImageFormat): boolean {
  return format === 'png' && (bytes[25] === 0 || bytes[25] === 2)
}

/**
 * Gives the colour that Pillow takes for transparent where it makes RGBA of a PNG that has neither alpha nor palette. It compares eight bits, whatever was
 * stored: of a declared level of 16 bits the lower ones, but for grey of 16 bits, where it is the level itself.
 */
export function hiddenColourOfPng(bytes: Uint8Array): Colour | null {
  if (bytes.length < 26) return null
  const header = viewOf(bytes)
  const [depth, colourType] = [header.getUint8(24), header.getUint8(25)]
  const transparency = pngChunks(bytes).get('tRNS')
  if (transparency === undefined) return null
  const levels = viewOf(transparency)
  if (colourType === 2 && transparency.length >= 6) {
    return [levels.getUint8(1), levels.getUint8(3), levels.getUint8(5)]
  }
  if (colourType !== 0 || transparency.length < 2) return null
  const level = levels.getUint16(0)
  const grey = depth === 1 ? (level === 0 ? 0 : 255) : depth === 16 ? Math.min(level, 255) : level & 255
  return [grey, grey, grey]
}

/** Only a palette counts whose one entry is wholly transparent and no other one at all. */
function paletteColour(alphas: Uint8Array, palette: Uint8Array | undefined): Colour | null {
  const index = alphas.indexOf(0)
  if (palette === undefined || alphas.some((alpha, i) => alpha !== (i === index ? 0 : 255))) return null
  return colourAtOrNull(palette, index)
}

/** Collects the chunks before the pixels, by name. */
function pngChunks(bytes: Uint8Array): Map<string, Uint8Array> {
  const view = viewOf(bytes)
  const chunks = new Map<string, Uint8Array>()
  for (let at = 8; at + 12 <= bytes.length; ) {
    const length = view.getUint32(at)
    const name = String.fromCharCode(...bytes.subarray(at + 4, at + 8))
    if (name === 'IDAT') break
    chunks.set(name, bytes.subarray(at + 8, at + 8 + length))
    at += 12 + length
  }
  return chunks
}

export interface GifColours {
  /** Lies where the first frame draws nothing. */
  readonly background: Colour
  /** Is null where the first frame declares none. */
  readonly transparent: Colour | null
}

const EXTENSION = 0x21
const GRAPHIC_CONTROL = 0xf9
const FRAME = 0x2c

/** Finds those of the first frame. Gives null where the file ends before its colours, or has none. */
export function gifColoursOrNull(bytes: Uint8Array): GifColours | null {
  if (bytes.length < 13) return null
  const view = viewOf(bytes)
  const global = colourTable(bytes, 13, view.getUint8(10))
  let transparentIndex: number | null = null
  let at = 13 + global.length
  while (at + 7 <= bytes.length && view.getUint8(at) === EXTENSION) {
    if (view.getUint8(at + 1) === GRAPHIC_CONTROL) {
      transparentIndex = (view.getUint8(at + 3) & 1) === 1 ? view.getUint8(at + 6) : null
    }
    at = endOfBlocks(view, at + 2)
  }
  if (at + 10 > bytes.length || view.getUint8(at) !== FRAME) return null
  const local = colourTable(bytes, at + 10, view.getUint8(at + 9))
  const table = local.length > 0 ? local : global
  const background = colourAtOrNull(table, transparentIndex ?? 0)
  if (background === null) return null
  return { background, transparent: transparentIndex === null ? null : background }
}

/** Blocks follow each other, each with its length before it, until an empty one. */
function endOfBlocks(view: DataView, start: number): number {
  let at = start
  while (at < view.byteLength) {
    const length = view.getUint8(at)
    at += length + 1
    if (length === 0) break
  }
  return at
}

/** @param flags are those of the screen or of a frame, and say whether there is a table and how long it is */
function colourTable(bytes: Uint8Array, start: number, flags: number): Uint8Array {
  const length = (flags & 0x80) === 0 ? 0 : 3 * 2 ** ((flags & 7) + 1)
  return bytes.subarray(start, start + length)
}

/** Gives null where the table has no such entry. */
function colourAtOrNull(table: Uint8Array, index: number): Colour | null {
  const at = 3 * index
  if (index < 0 || at + 3 > table.length) return null
  const entry = viewOf(table)
  return [entry.getUint8(at), entry.getUint8(at + 1), entry.getUint8(at + 2)]
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/**
 * The one colour that a PNG or GIF declares to be transparent. Pillow keeps it in mind beside the RGB pixels, where a later step may
 * remember it; decoders tend to lose it.
 */

export type Colour = readonly [red: number, green: number, blue: number]

/** Null where no single colour is declared: an alpha channel or a palette of several transparencies is something else. */
export function transparentColourOfPng(bytes: Uint8Array): Colour | null {
  const [depth, colourType] = [bytes[24], bytes[25]]
  const chunks = pngChunks(bytes)
  const transparency = chunks.get('tRNS')
  if (transparency === undefined) return null
  if (colourType === 3) return paletteColour(transparency, chunks.get('PLTE') ?? new Uint8Array())
  if (depth > 8 || depth === 1) return null
  const levels = [0, 2, 4].map((at) => transparency[at] * 256 + transparency[at + 1])
  if (colourType === 0 && transparency.length >= 2) return [levels[0], levels[0], levels[0]]
  if (colourType === 2 && transparency.length >= 6) return [levels[0], levels[1], levels[2]]
  return null
}

/** Only where one entry is wholly transparent and no other one at all. */
function paletteColour(alphas: Uint8Array, palette: Uint8Array): Colour | null {
  const index = alphas.indexOf(0)
  if (alphas.some((alpha, i) => alpha !== (i === index ? 0 : 255))) return null
  return colourAt(palette, index)
}

/** The chunks before the pixels, by name. */
function pngChunks(bytes: Uint8Array): Map<string, Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
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
  /** What lies where the first frame draws nothing. */
  readonly background: Colour
  /** Null where the first frame declares none. */
  readonly transparent: Colour | null
}

/** Of the first frame. Null where the file ends before its colours, or has none. */
export function gifColoursOrNull(bytes: Uint8Array): GifColours | null {
  const global = colourTable(bytes, 13, bytes[10])
  let transparentIndex: number | null = null
  let at = 13 + global.length
  while (bytes[at] === 0x21) {
    if (bytes[at + 1] === 0xf9) transparentIndex = (bytes[at + 3] & 1) === 1 ? bytes[at + 6] : null
    at += 2
    // Blocks, each with its length before it, until an empty one.
    while (bytes[at] > 0) at += bytes[at] + 1
    at++
  }
  if (bytes[at] !== 0x2c) return null
  const local = colourTable(bytes, at + 10, bytes[at + 9])
  const table = local.length > 0 ? local : global
  const background = colourAt(table, transparentIndex ?? 0)
  if (background === null) return null
  return { background, transparent: transparentIndex === null ? null : background }
}

/** @param flags of the screen or of a frame: whether there is a table, and how long it is */
function colourTable(bytes: Uint8Array, start: number, flags: number): Uint8Array {
  const length = (flags & 0x80) === 0 ? 0 : 3 * 2 ** ((flags & 7) + 1)
  return bytes.subarray(start, start + length)
}

function colourAt(table: Uint8Array, index: number): Colour | null {
  const at = 3 * index
  return index >= 0 && at + 3 <= table.length ? [table[at], table[at + 1], table[at + 2]] : null
}

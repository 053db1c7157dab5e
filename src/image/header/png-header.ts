/**
 * Reads the chunks of a PNG as Pillow's PngImagePlugin does: EXIF as a chunk of its own or as ImageMagick's hexadecimal text, XMP as international
 * text. They may follow the pixels.
 */
import { unzlibSync } from 'fflate'
import { type ImageHeader, textAt } from './image-header.js'
import { type ByteEdit, orientationFrom, uprightExifEdits } from './orientation.js'

const XMP_KEYWORD = 'XML:com.adobe.xmp'
const RAW_PROFILE_KEYWORD = 'Raw profile type exif'
/** Pillow refuses a longer text. */
const MOST_TEXT_BYTES = 2 ** 20

export function readPngHeader(file: Uint8Array): ImageHeader {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  if (view.byteLength < 33) return { size: null, orientation: 1, uprightEdits: [], mayHaveAlpha: true }
  const size = { width: view.getUint32(16), height: view.getUint32(20) }
  const colourType = view.getUint8(25)
  let mayHaveAlpha = colourType === 4 || colourType === 6
  let exif: Uint8Array | null = null
  const uprightEdits: ByteEdit[] = []
  const texts = new Map<string, Uint8Array>()
  for (let at = 8; at + 12 <= view.byteLength; ) {
    const end = at + 8 + view.getUint32(at)
    const kind = textAt(view, at + 4, 4)
    if (kind === 'IEND') break
    if (kind === 'tRNS') mayHaveAlpha = true
    if (kind === 'eXIf') {
      exif = file.subarray(at + 8, end)
      uprightEdits.push(...uprightExifEdits(file, at + 8, end))
    }
    const text = textOrNull(kind, file.subarray(at + 8, end))
    if (text !== null) texts.set(text.keyword, text.value)
    at = end + 4
  }
  exif ??= rawProfileOrNull(texts.get(RAW_PROFILE_KEYWORD))
  const orientation = orientationFrom({ exif, xmp: texts.get(XMP_KEYWORD) ?? null })
  return { size, orientation, uprightEdits, mayHaveAlpha }
}

interface Text {
  readonly keyword: string
  readonly value: Uint8Array
}

/** Gives null for chunks of another kind, and for texts that no one asks for, which are not unpacked. */
function textOrNull(kind: string, body: Uint8Array): Text | null {
  if (kind !== 'tEXt' && kind !== 'zTXt' && kind !== 'iTXt') return null
  const end = body.indexOf(0)
  const keyword = String.fromCharCode(...body.subarray(0, Math.max(0, Math.min(end, 80))))
  if (keyword !== XMP_KEYWORD && keyword !== RAW_PROFILE_KEYWORD) return null
  const value = VALUE_OF[kind](body.subarray(end + 1))
  return value === null ? null : { keyword, value }
}

/** Takes what follows the keyword. */
const VALUE_OF: { readonly [kind in 'tEXt' | 'zTXt' | 'iTXt']: (rest: Uint8Array) => Uint8Array | null } = {
  tEXt: (rest) => rest,
  zTXt: (rest) => (rest[0] === 0 ? unpackedOrNull(rest.subarray(1)) : null),
  iTXt: (rest) => {
    const isPacked = rest[0] !== 0
    const language = rest.indexOf(0, 2)
    const keyword = language < 0 ? -1 : rest.indexOf(0, language + 1)
    if (keyword < 0 || (isPacked && rest[1] !== 0)) return null
    const value = rest.subarray(keyword + 1)
    return isPacked ? unpackedOrNull(value) : value
  },
}

/** A text that is damaged, or longer than Pillow takes, says nothing. */
function unpackedOrNull(packed: Uint8Array): Uint8Array | null {
  try {
    const room = new Uint8Array(MOST_TEXT_BYTES)
    const out = unzlibSync(packed, { out: room })
    return out.length < room.length ? out : null
  } catch {
    return null
  }
}

/** ImageMagick writes a line break, the profile's name and its length, then its bytes as hexadecimal digits in lines. */
function rawProfileOrNull(text: Uint8Array | undefined): Uint8Array | null {
  if (text === undefined) return null
  const digits = new TextDecoder('latin1').decode(text).split('\n').slice(3).join('').replace(/\s/g, '')
  if (digits.length % 2 !== 0 || /[^0-9a-f]/i.test(digits)) return null
  return Uint8Array.from({ length: digits.length / 2 }, (_, i) =>
    Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16),
  )
}

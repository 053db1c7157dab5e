/**
 * Tells a file's kind by its first bytes: names are no proof, and a decoder should see nothing but what it is meant for. What is not decoded is
 * known too, as far as people have photos in it or Pillow opens it, so that it can be counted and named.
 */

import { isRawTiff } from './camera-raw.js'

/** What comes with this library decodes these. */
export type ImageFormat = 'jpeg' | 'png' | 'webp' | 'avif' | 'tiff' | 'gif' | 'bmp'

export type FileKind =
  | { readonly decoder: 'own'; readonly format: ImageFormat }
  /** An optional package decodes it where it is installed. */
  | { readonly decoder: 'optional'; readonly format: 'heic' }
  /** `isImage` tells a photo or drawing from a page, a document or a film. */
  | { readonly decoder: 'none'; readonly format: string; readonly isImage: boolean }

/** So many bytes of a file's beginning tell its kind, but for a camera's raw photo in TIFF, of which `RAW_BYTES` tell it. */
export const KIND_BYTES = 256

/**
 * Gives null for what is not known to be any image, such as text.
 *
 * @param bytes are at least the first `KIND_BYTES` of a file, or all it has
 */
export function fileKindOrNull(bytes: Uint8Array): FileKind | null {
  const text = String.fromCharCode(...bytes.subarray(0, KIND_BYTES))
  const own = ownFormatOrNull(text)
  if (own === 'tiff' && isRawTiff(bytes)) return CAMERA_RAW
  if (own !== null) return { decoder: 'own', format: own }
  if (HEIC_BRANDS.test(brands(text)[0] ?? '')) return { decoder: 'optional', format: 'heic' }
  const image = OTHER_IMAGES.find(([, beginnings]) => beginsAs(text, beginnings))
  if (image !== undefined) return { decoder: 'none', format: image[0], isImage: true }
  const other = NO_IMAGES.find(([, beginnings]) => beginsAs(text, beginnings))
  return other === undefined ? null : { decoder: 'none', format: other[0], isImage: false }
}

/** Is one kind for people, whatever camera has written it. */
export const CAMERA_RAW = {
  decoder: 'none',
  format: 'a raw photo of a camera',
  isImage: true,
} as const satisfies FileKind

/** Writes a kind as people do. */
export function nameOfKind({ decoder, format }: FileKind): string {
  if (decoder === 'none') return format
  return format === 'webp' ? 'WebP' : format.toUpperCase()
}

function ownFormatOrNull(text: string): ImageFormat | null {
  if (text.startsWith('\xff\xd8\xff')) return 'jpeg'
  if (text.startsWith('\x89PNG\r\n\x1a\n')) return 'png'
  if (text.startsWith('GIF87a') || text.startsWith('GIF89a')) return 'gif'
  if (text.startsWith('RIFF') && text.startsWith('WEBP', 8)) return 'webp'
  if (isBmp(text)) return 'bmp'
  // Canon's and Phase One's raw photos are TIFF with a mark of their own.
  if (['CR\x02', 'IIII', 'MMMM'].some((mark) => text.startsWith(mark, 8))) return null
  // TIFF comes in a plain and a 64-bit kind, each in either byte order.
  if (['II*\0', 'II+\0', 'MM\0*', 'MM\0+'].includes(text.slice(0, 4))) return 'tiff'
  return brands(text).some((brand) => brand === 'avif' || brand === 'avis') ? 'avif' : null
}

/** Texts begin with these letters too, and not with what programs leave empty, or with the length of a second header that there is. */
function isBmp(text: string): boolean {
  if (!text.startsWith('BM')) return false
  const headers = [12, 40, 52, 56, 64, 108, 124]
  const hasHeader = headers.includes(text.charCodeAt(14)) && text.startsWith('\0\0\0', 15)
  return hasHeader || text.startsWith('\0\0\0\0', 6)
}

/** HEIC is AVIF's container with another codec; AVIF itself has been recognised before. */
const HEIC_BRANDS = /^(hei[cxms]|hev[cxms]|mif[12]|msf1)$/

/** Stands for any byte in a beginning. */
const ANY = '\u{100}'
const any = (count: number): string => ANY.repeat(count)

/** Each is known by how its files begin, as letters for bytes; texts by an expression. */
const OTHER_IMAGES: readonly (readonly [name: string, beginnings: readonly string[] | RegExp])[] = [
  ['JPEG XL', ['\xff\x0a', '\0\0\0\x0cJXL \r\n']],
  ['JPEG 2000', ['\xff\x4f\xff\x51', '\0\0\0\x0cjP  ']],
  ['JPEG XR', ['II\xbc']],
  ['ICO', [`\0\0\x01\0${any(1)}\0`]],
  ['CUR', [`\0\0\x02\0${any(1)}\0`]],
  ['ICNS', ['icns']],
  ['PSD', ['8BPS']],
  ['SVG', /^\W{0,3}\s*(<svg|<!--.*<svg|<\?xml)/is],
  ['EPS', ['%!PS', '\xc5\xd0\xd3\xc6']],
  ['Netpbm (PBM, PGM, PPM or PAM)', /^P([1-6]\s|7\n)/],
  ['PFM', /^P[Ff]\n/],
  ['QOI', ['qoif']],
  ['DDS', ['DDS ']],
  ['OpenEXR', ['\x76\x2f\x31\x01']],
  ['Radiance HDR', ['#?RADIANCE', '#?RGBE']],
  ['FITS', ['SIMPLE  =']],
  ['PCX', ['\n\0\x01', '\n\x02\x01', '\n\x03\x01', '\n\x05\x01']],
  ['DCX', ['\xb1\x68\xde\x3a']],
  ['SGI', ['\x01\xda\0\x01', '\x01\xda\0\x02', '\x01\xda\x01\x01', '\x01\xda\x01\x02']],
  ['Sun raster', ['\x59\xa6\x6a\x95']],
  ['BLP', ['BLP1', 'BLP2']],
  ['XPM', ['/* XPM */']],
  ['XBM', /^#define \S+_width /],
  ['MSP', ['DanM', 'LinS']],
  ['FLI', [`${any(4)}\x11\xaf${any(8)}\0\0`, `${any(4)}\x12\xaf${any(8)}\x03\0`]],
  ['WMF', ['\xd7\xcd\xc6\x9a', `\x01\0\0\0${any(36)} EMF`]],
  ['GIMP (XCF)', ['gimp xcf']],
  [
    CAMERA_RAW.format,
    [
      `${any(8)}CR\x02`,
      `II*\0${any(4)}IIII`,
      `MM\0*${any(4)}MMMM`,
      `II${any(4)}HEAPCCDR`,
      'ARRI',
      'IIU\0',
      'IIRO',
      'IIRS',
      'MMOR',
      'FUJIFILMCCD-RAW',
      'FOVb',
      '\0MRM',
      `${any(4)}ftypcrx `,
    ],
  ],
]

/** Names the kinds of photos and drawings that nothing here decodes, but for raw photos. */
export const UNDECODED_NAMES: readonly string[] = OTHER_IMAGES.map(([name]) => name).filter(
  (name) => name !== CAMERA_RAW.format,
)

const NO_IMAGES: typeof OTHER_IMAGES = [
  ['HTML', /^\W{0,3}\s*<(!doctype html|html|head)/i],
  ['PDF', ['%PDF']],
  ['a film', [`${any(4)}ftyp`, `${any(4)}moov`, `${any(4)}mdat`, '\x1a\x45\xdf\xa3', `RIFF${any(4)}AVI `]],
]

function beginsAs(text: string, beginnings: readonly string[] | RegExp): boolean {
  if (beginnings instanceof RegExp) return beginnings.test(text)
  return beginnings.some(
    (beginning) =>
      beginning.length <= text.length && [...beginning].every((byte, i) => byte === ANY || byte === text[i]),
  )
}

/** Lists the major and the compatible brands of an ISO media file; other files have none. */
function brands(text: string): readonly string[] {
  if (text.slice(4, 8) !== 'ftyp') return []
  const end = Math.min(text.charCodeAt(2) * 256 + text.charCodeAt(3), text.length)
  const found = [text.slice(8, 12)]
  for (let at = 16; at + 4 <= end; at += 4) found.push(text.slice(at, at + 4))
  return found
}

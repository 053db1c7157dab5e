/** Tells a file's format by its first bytes: names are no proof, and a decoder should see nothing but what it is meant for. */

export type ImageFormat = 'jpeg' | 'png' | 'webp' | 'avif' | 'tiff' | 'gif'

/** People have photos in these formats too, which are not decoded; they are known so that the error can name them. */
export type OtherFormat = 'HEIC' | 'JPEG XL' | 'JPEG 2000' | 'BMP' | 'SVG' | 'PDF' | 'PSD' | 'HTML'

type Known =
  | { readonly decoded: true; readonly format: ImageFormat }
  | { readonly decoded: false; readonly format: OtherFormat }

/** @param bytes are the beginning of a file; 256 of them tell enough */
export function imageFormatOrNull(bytes: Uint8Array): Known | null {
  const text = latin1(bytes.subarray(0, 256))
  const decoded = decodedFormatOrNull(text)
  if (decoded !== null) return { decoded: true, format: decoded }
  const other = OTHERS.find(([, matches]) => matches(text))
  return other === undefined ? null : { decoded: false, format: other[0] }
}

function decodedFormatOrNull(text: string): ImageFormat | null {
  if (text.startsWith('\xff\xd8\xff')) return 'jpeg'
  if (text.startsWith('\x89PNG\r\n\x1a\n')) return 'png'
  if (text.startsWith('GIF87a') || text.startsWith('GIF89a')) return 'gif'
  if (text.startsWith('RIFF') && text.startsWith('WEBP', 8)) return 'webp'
  // TIFF comes in a plain and a 64-bit kind, each in either byte order.
  if (['II*\0', 'II+\0', 'MM\0*', 'MM\0+'].includes(text.slice(0, 4))) return 'tiff'
  return brands(text).some((brand) => brand === 'avif' || brand === 'avis') ? 'avif' : null
}

const OTHERS: readonly (readonly [OtherFormat, (text: string) => boolean])[] = [
  // HEIC is AVIF's container with another codec; AVIF itself has been recognised before.
  ['HEIC', (text) => /^(hei|hev|mif|msf)/.test(brands(text)[0] ?? '')],
  ['JPEG XL', (text) => text.startsWith('\xff\x0a') || text.startsWith('JXL ', 4)],
  ['JPEG 2000', (text) => text.startsWith('\xff\x4f\xff\x51') || text.startsWith('jP  ', 4)],
  ['PSD', (text) => text.startsWith('8BPS')],
  ['PDF', (text) => text.startsWith('%PDF')],
  ['BMP', (text) => text.startsWith('BM') && text.startsWith('\0\0\0\0', 6)],
  ['SVG', (text) => /^\W{0,3}\s*<(svg|\?xml)/i.test(text)],
  ['HTML', (text) => /^\W{0,3}\s*<(!doctype html|html|head)/i.test(text)],
]

/** Lists the major and the compatible brands of an ISO media file; other files have none. */
function brands(text: string): readonly string[] {
  if (text.slice(4, 8) !== 'ftyp') return []
  const end = Math.min(text.charCodeAt(2) * 256 + text.charCodeAt(3), text.length)
  const found = [text.slice(8, 12)]
  for (let at = 16; at + 4 <= end; at += 4) found.push(text.slice(at, at + 4))
  return found
}

function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes)
}

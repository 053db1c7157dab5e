import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodableFormat } from './decodable.js'
import { fileKindOrNull, KIND_BYTES, nameOfKind } from './image-format.js'

const formatOf = (text: string) =>
  fileKindOrNull(Uint8Array.from(text, (letter) => letter.charCodeAt(0)))?.format ?? null

test.each([
  ['\xff\xd8\xff\xe0', 'jpeg'],
  ['\x89PNG\r\n\x1a\n', 'png'],
  ['GIF89a', 'gif'],
  ['RIFF\x10\0\0\0WEBPVP8 ', 'webp'],
  ['II*\0\x08\0\0\0', 'tiff'],
  ['MM\0+\0\x08\0\0', 'tiff'],
  ['\0\0\0\x1cftypavif\0\0\0\0mif1avifmiaf', 'avif'],
])('%j begins %s', (text, format) => {
  expect(formatOf(text)).toBe(format)
})

test('AVIF and HEIC share a container: the compatible brands decide, as far as their list goes', () => {
  expect(formatOf('\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf')).toBe('avif')
  expect(formatOf('\0\0\0\x18ftypmif1\0\0\0\0mif1heic')).toBe('heic')
  expect(formatOf('\0\0\0\x14ftypheic\0\0\0\0mif1avif')).toBe('heic')
  expect(formatOf('\0\0\0\x18ftypisom\0\0\0\0isomavc1')).toBe('a film')
})

test('BMP is told by what its header leaves empty or by the length of the second, and a text that begins alike is none', () => {
  expect(formatOf('BM6\0\x0c\0\0\0\0\0')).toBe('bmp')
  expect(formatOf('BM6\0\x0c\0ABCD6\0\0\0\x7c\0\0\0')).toBe('bmp')
  expect(formatOf('BMW, 3 doors, 124 kW')).toBe(null)
})

test('a photo that is not decoded is known by name; RIFF of another kind and text are nothing', () => {
  expect(formatOf('\0\0\0\x0cJXL \r\n')).toBe('JPEG XL')
  expect(formatOf('\xef\xbb\xbf<?xml version="1.0"?><svg>')).toBe('SVG')
  expect(formatOf('RIFF\x10\0\0\0WAVEfmt ')).toBe(null)
})

test.each([
  ['\0\0\x01\0\x02\0\x20\x20', 'ICO'],
  ['\0\0\0\x0cjP  \r\n\x87\n', 'JPEG 2000'],
  ['P6\n640 480\n255\n', 'Netpbm (PBM, PGM, PPM or PAM)'],
  ['II*\0\x10\0\0\0CR\x02\0', 'a raw photo of a camera'],
  ['\0\0\0\x18ftypcrx \0\0\0\x01crx isom', 'a raw photo of a camera'],
  ['qoif\0\0\0\x10', 'QOI'],
  ['<!-- drawn by hand -->\n<svg xmlns="http://www.w3.org/2000/svg"/>', 'SVG'],
])('%j begins %s, which is an image and is not decoded', (text, format) => {
  const bytes = Uint8Array.from(text, (letter) => letter.charCodeAt(0))
  expect(fileKindOrNull(bytes)).toEqual({ decoder: 'none', format, isImage: true })
})

test('a film, a page and a document are told from images', () => {
  for (const text of ['\0\0\0\x18ftypisom', '<!DOCTYPE html>', '%PDF-1.7']) {
    expect(fileKindOrNull(new TextEncoder().encode(text))).toMatchObject({ decoder: 'none', isImage: false })
  }
})

test('kinds are written as people write them', () => {
  expect(nameOfKind({ decoder: 'own', format: 'jpeg' })).toBe('JPEG')
  expect(nameOfKind({ decoder: 'own', format: 'webp' })).toBe('WebP')
  expect(nameOfKind({ decoder: 'optional', format: 'heic' })).toBe('HEIC')
})

test('the first bytes tell all that the whole file does', () => {
  const file = Buffer.concat([
    Buffer.from('\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf', 'latin1'),
    Buffer.alloc(1000, 7),
  ])
  expect(fileKindOrNull(file.subarray(0, KIND_BYTES))).toEqual(fileKindOrNull(file))
})

test('any bytes have an answer', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => void fileKindOrNull(bytes)))
})

/** Writes a TIFF whose first directory has these tags of four bytes, and a directory below it with others. */
function tiffWith(
  first: Readonly<Record<number, number>>,
  below: Readonly<Record<number, number>>,
): Uint8Array {
  const tags = { ...first, ...(Object.keys(below).length > 0 ? { 330: 0 } : {}) }
  const start = 8 + 2 + 12 * Object.keys(tags).length + 4
  const bytes = Buffer.alloc(start + 2 + 12 * Object.keys(below).length + 4)
  bytes.write('MM\0*\0\0\0\x08', 'latin1')
  const write = (at: number, entries: readonly (readonly [string, number])[]) => {
    bytes.writeUInt16BE(entries.length, at)
    for (const [i, [tag, value]] of entries.entries()) {
      bytes.writeUInt16BE(Number(tag), at + 2 + 12 * i)
      bytes.writeUInt16BE(4, at + 4 + 12 * i)
      bytes.writeUInt32BE(1, at + 6 + 12 * i)
      bytes.writeUInt32BE(value, at + 10 + 12 * i)
    }
  }
  write(8, Object.entries({ ...tags, ...('330' in tags ? { 330: start } : {}) }))
  write(start, Object.entries(below))
  return bytes
}

test.each([
  ['a DNG', { 254: 1, 50706: 0x01040000 }, {}],
  ['a colour filter below the preview', { 254: 1 }, { 262: 32803 }],
  ['linear raw below the preview', { 254: 0 }, { 262: 34892 }],
  ["Nikon's packing below the preview", { 254: 1 }, { 259: 34713 }],
  ["Pentax' packing", { 259: 65535 }, {}],
] as const)('a TIFF with %s is a raw photo of a camera, and refused by itself', (_, first, below) => {
  const bytes = tiffWith(first, below)
  expect(fileKindOrNull(bytes)).toEqual({ decoder: 'none', format: 'a raw photo of a camera', isImage: true })
  expect(() => decodableFormat(bytes, 'IMG_1')).toThrow(/IMG_1 is a raw photo of a camera.*Export it as JPEG/)
})

test.each([
  ['a.jpg\nb.jpg\n', true],
  ['\xff\xfea\0.\0j\0', true],
  ['\x01\x02\x03', false],
])('%j is answered with how a list is given: %s', (text, isList) => {
  const bytes = Buffer.from(text, 'latin1')
  expect(() => decodableFormat(bytes, 'list.txt')).toThrow(isList ? /embed - < list/ : /and BMP\.$/)
})

test('a TIFF with a smaller copy below it is no raw photo, but for one that is called so', () => {
  const bytes = tiffWith({ 254: 0, 262: 2 }, { 254: 1, 262: 2 })
  expect(decodableFormat(bytes, 'scan.tif')).toBe('tiff')
  expect(() => decodableFormat(bytes, 'https://example.org/scan.ARW')).toThrow(/raw photo of a camera/)
})

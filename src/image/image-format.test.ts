import fc from 'fast-check'
import { expect, test } from 'vitest'
import { imageFormatOrNull } from './image-format.js'

const formatOf = (text: string) =>
  imageFormatOrNull(Uint8Array.from(text, (letter) => letter.charCodeAt(0)))?.format ?? null

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
  expect(formatOf('\0\0\0\x18ftypmif1\0\0\0\0mif1heic')).toBe('HEIC')
  expect(formatOf('\0\0\0\x14ftypheic\0\0\0\0mif1avif')).toBe('HEIC')
  expect(formatOf('\0\0\0\x18ftypisom\0\0\0\0isomavc1')).toBe(null)
})

test('a photo that is not decoded is known by name; RIFF of another kind and text are nothing', () => {
  expect(formatOf('BM6\0\x0c\0\0\0\0\0')).toBe('BMP')
  expect(formatOf('\0\0\0\x0cJXL \r\n')).toBe('JPEG XL')
  expect(formatOf('\xef\xbb\xbf<?xml version="1.0"?><svg>')).toBe('SVG')
  expect(formatOf('RIFF\x10\0\0\0WAVEfmt ')).toBe(null)
  expect(formatOf('BMW, 3 doors')).toBe(null)
})

test('any bytes have an answer', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => void imageFormatOrNull(bytes)))
})

import fc from 'fast-check'
import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import type { ImageFormat } from './image-format.js'
import { readHeader, withoutOrientation } from './read-header.js'

const blank = (channels: 3 | 4 = 3) =>
  sharp({ create: { width: 37, height: 21, channels, background: { r: 10, g: 200, b: 30, alpha: 0.5 } } })

describe.each(['jpeg', 'png', 'webp'] as const)('%s', (format) => {
  test.each([1, 2, 3, 4, 5, 6, 7, 8])(
    'orientation %d is what sharp finds, and can be taken away',
    async (orientation) => {
      const bytes = await blank().withMetadata({ orientation }).toFormat(format).toBuffer()
      const header = readHeader(bytes, format)
      expect(header.orientation).toBe((await sharp(bytes).metadata()).orientation)
      expect(header.size).toEqual({ width: 37, height: 21 })
      const without = withoutOrientation(bytes, header)
      expect(readHeader(without, format).orientation).toBe(1)
      expect(without.length).toBe(bytes.length)
    },
  )

  test('a file without EXIF lies as it is', async () => {
    const bytes = await blank().toFormat(format).toBuffer()
    expect(readHeader(bytes, format)).toMatchObject({ size: { width: 37, height: 21 }, orientation: 1 })
    expect(readHeader(bytes, format).uprightEdits).toEqual([])
  })
})

test('the other byte order is understood', async () => {
  const bytes = await blank().withMetadata({ orientation: 6 }).jpeg().toBuffer()
  const start = bytes.indexOf('Exif\0\0') + 6
  expect(bytes.toString('latin1', start, start + 2)).toBe('II')
  const directory = Buffer.from('MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x08\0\0\0\0\0\0', 'latin1')
  const changed = Buffer.from(bytes)
  directory.copy(changed, start)
  const header = readHeader(changed, 'jpeg')
  expect(header.orientation).toBe(8)
  expect(readHeader(withoutOrientation(changed, header), 'jpeg').orientation).toBe(1)
})

test.each([
  ['jpeg', 3, false],
  ['png', 3, false],
  ['png', 4, true],
  ['webp', 3, false],
  ['webp', 4, true],
  ['gif', 3, true],
] as const)('%s of %d channels may have alpha: %s', async (format, channels, expected) => {
  const bytes = await blank(channels).toFormat(format).toBuffer()
  const { mayHaveAlpha, size } = readHeader(bytes, format)
  expect(mayHaveAlpha).toBe(expected)
  expect(size).toEqual({ width: 37, height: 21 })
})

test('a lossless WebP tells its size', async () => {
  const bytes = await blank().webp({ lossless: true }).toBuffer()
  expect(readHeader(bytes, 'webp').size).toEqual({ width: 37, height: 21 })
})

test('whatever is cut off or overwritten, nothing is thrown and no place lies outside', async () => {
  const formats: readonly ImageFormat[] = ['jpeg', 'png', 'webp', 'gif', 'avif', 'tiff', 'bmp']
  const files = await Promise.all(
    (['jpeg', 'png', 'webp', 'gif'] as const).map((format) =>
      blank().withMetadata({ orientation: 6 }).toFormat(format).toBuffer(),
    ),
  )
  const edit = fc.record({ at: fc.nat(400), value: fc.integer({ min: 0, max: 255 }) })
  fc.assert(
    fc.property(
      fc.constantFrom(...files),
      fc.constantFrom(...formats),
      fc.nat(2000),
      fc.array(edit, { maxLength: 8 }),
      (file, format, length, edits) => {
        const bytes = new Uint8Array(file.subarray(0, length))
        for (const { at, value } of edits) if (at < bytes.length) bytes[at] = value
        const header = readHeader(bytes, format)
        expect(header.orientation).toBeGreaterThanOrEqual(1)
        expect(header.orientation).toBeLessThanOrEqual(8)
        expect(withoutOrientation(bytes, header).length).toBe(bytes.length)
      },
    ),
    { numRuns: 2000 },
  )
})

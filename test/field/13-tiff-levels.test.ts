/**
 * Each kind of TIFF that Pillow 13 opens gives Pillow's own pixels or is refused by what it is; none gives others. `13-tiff-levels/make.py` has made a small file of
 * each kind in its list of modes and Pillow's answers; the six files beside it are those that people reported.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ImageError } from '../../src/image/image-error.js'
import { decodeImage } from '../../src/platform/node/decode-image.js'

const folder = join(import.meta.dirname, '13-tiff-levels')

interface Row {
  readonly name: string
  /** Is Pillow's name for the kind of pixels, or its error. */
  readonly mode: string
  readonly file: string
  /** Begins the SHA-256 of Pillow's uint8 [height, width, 3]; null where it refuses. */
  readonly rgb: string | null
}

const rows = JSON.parse(readFileSync(join(folder, 'modes.expected.json'), 'utf8')) as Row[]
const hashOf = (data: Uint8Array) => createHash('sha256').update(data).digest('hex').slice(0, 16)

/** Gives the hash of the pixels, or what the file is refused for. */
async function outcome(file: Uint8Array): Promise<string> {
  try {
    return hashOf((await decodeImage(file)).data)
  } catch (error) {
    if (error instanceof ImageError && ['unsupported', 'truncated'].includes(error.code)) return error.message
    throw error
  }
}

test.each([
  ['cmyk16.tif', '870c9d92baf2a46a'],
  ['int16.tif', '6db8995b81512906'],
  ['int8.tif', 'd52b751701e41c08'],
  ['premultiplied.tif', 'ecf47cf6337bf7d9'],
  ['white-is-zero-16.tif', '274a6ca2b3e6e61e'],
  ['ycbcr.tif', 'ce65b928604778c5'],
])('%s has the pixels of Pillow', async (name, hash) => {
  expect(hashOf((await decodeImage(join(folder, name))).data)).toBe(hash)
})

describe('of the kinds in Pillow’s list', () => {
  const opened = rows.filter(({ rgb }) => rgb !== null)

  test('each that is not refused by name has Pillow’s pixels', async () => {
    const wrong: string[] = []
    for (const { name, file, rgb } of opened) {
      const found = await outcome(Buffer.from(file, 'base64'))
      if (found !== rgb && !found.includes('is of a kind that is not decoded'))
        wrong.push(`${name}: ${found}`)
    }
    expect(wrong).toEqual([])
  })

  test('only few are refused, and each says what it is', async () => {
    const refused = new Map<string, string>()
    for (const { name, file, rgb } of opened) {
      const found = await outcome(Buffer.from(file, 'base64'))
      if (found !== rgb) refused.set(name, found)
    }
    const reasons = new Set([...refused.values()].map((text) => text.replace(/.*not decoded: /, '')))
    expect([...reasons].sort()).toMatchInlineSnapshot(`
      [
        "it is TIFF packed with LZMA. Convert it to PNG.",
        "it is TIFF packed with ZSTD. Convert it to PNG.",
        "it is TIFF with CIELAB in 8 + 8 + 8 bits, unsigned, big-endian. Convert it to PNG.",
        "it is TIFF with CIELAB in 8 + 8 + 8 bits, unsigned. Convert it to PNG.",
        "it is TIFF with YCbCr, packed with Deflate, or with fewer colours than pixels. Convert it to PNG.",
        "it is TIFF with YCbCr, packed with LZW, or with fewer colours than pixels. Convert it to PNG.",
        "it is TIFF with YCbCr, packed with PackBits in planes, or with fewer colours than pixels. Convert it to PNG.",
        "it is TIFF with big-endian numbers of 16 bits, packed with LZW. Convert it to PNG.",
        "it is TIFF with big-endian numbers of 32 bits, packed with LZW. Convert it to PNG.",
        "it is TIFF with planes, packed with PackBits, of which the fourth is not described. Convert it to PNG.",
        "it is TIFF with unpacked planes of 16 bits and fill order 1. Convert it to PNG.",
        "it is TIFF with unpacked planes of 8 bits and fill order 2. Convert it to PNG.",
        "its first image is the preview of another, as in a camera's raw photo. Convert it to PNG.",
      ]
    `)
    expect(refused.size).toBeLessThan(opened.length / 8)
  })

  test('those that Pillow refuses never end in another kind of error', async () => {
    for (const { file, rgb } of rows) if (rgb === null) await outcome(Buffer.from(file, 'base64'))
  })
})

test('bytes that are cut off or changed are decoded or refused, with memory bounded', async () => {
  const files = rows.filter((_, i) => i % 7 === 0).map(({ file }) => Buffer.from(file, 'base64'))
  const edit = fc.record({ at: fc.nat(400), value: fc.integer({ min: 0, max: 255 }) })
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...files),
      fc.nat(900),
      fc.array(edit, { maxLength: 4 }),
      async (file, length, edits) => {
        const bytes = new Uint8Array(file.subarray(0, length))
        for (const { at, value } of edits) if (at < bytes.length) bytes[at] = value
        try {
          const { data, height, width } = await decodeImage(bytes, { maxPixels: 1e6 })
          expect(data.length).toBe(height * width * 3)
        } catch (error) {
          if (!(error instanceof ImageError)) throw error
        }
      },
    ),
    { numRuns: 300 },
  )
})

test('a tile that claims to be far larger than its image is refused before memory is taken', async () => {
  const row = rows.find(({ name }) => name === 'RGB in tiles, packing 5')
  const file = Buffer.from(row?.file ?? '', 'base64')
  const count = file.readUInt16LE(8)
  for (let i = 0; i < count; i++) {
    const entry = 10 + 12 * i
    if ([322, 323].includes(file.readUInt16LE(entry))) file.writeUInt32LE(2 ** 20, entry + 8)
  }
  const before = process.memoryUsage().rss
  await expect(decodeImage(file)).rejects.toMatchObject({ code: 'unsupported' })
  expect(process.memoryUsage().rss - before).toBeLessThan(100e6)
})

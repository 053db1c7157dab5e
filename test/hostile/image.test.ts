/** Files that are not the images they claim to be: every one is an `ImageError` that names the file, soon and without much memory. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32, deflateSync } from 'node:zlib'
import fc from 'fast-check'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ImageError } from '../../src/image/image-error.js'
import { decodeImage } from '../../src/platform/node/decode-image.js'

const FORMATS = ['jpeg', 'png', 'webp', 'avif', 'tiff', 'gif'] as const
type Format = (typeof FORMATS)[number]

const HEIGHT = 24
const WIDTH = 32

let folder = ''
const files = new Map<Format, Uint8Array>()

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plumage-image-'))
  // Noise: whatever is lost of it cannot be guessed, and no format makes it so small that half of it is all header.
  const data = Uint8Array.from({ length: HEIGHT * WIDTH * 3 }, (_, i) => Math.imul(i + 1, 0x9e3779b1) >>> 24)
  for (const format of FORMATS) {
    const image = sharp(data, { raw: { height: HEIGHT, width: WIDTH, channels: 3 } })
    files.set(format, await image.toFormat(format).toBuffer())
  }
})

afterAll(() => rm(folder, { recursive: true, force: true }))

function fileOf(format: Format): Uint8Array {
  const file = files.get(format)
  if (file === undefined) throw new Error(`there is no ${format} image`)
  return file
}

async function errorOf(source: string | Uint8Array): Promise<unknown> {
  return decodeImage(source).then(
    () => 'decoded',
    (error: unknown) => error,
  )
}

/** Decodes to a whole image, or fails as an `ImageError`; anything else is a bug. */
async function decodesOrRefuses(bytes: Uint8Array): Promise<void> {
  try {
    const { data, height, width } = await decodeImage(bytes, { maxPixels: 1e6 })
    expect(data.length).toBe(height * width * 3)
  } catch (error) {
    if (!(error instanceof ImageError)) throw error
  }
}

async function write(name: string, content: Uint8Array | string): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, content)
  return path
}

describe.each(FORMATS)('%s', (format) => {
  test('is decoded while whole', async () => {
    expect(await decodeImage(fileOf(format))).toMatchObject({ height: HEIGHT, width: WIDTH, format })
  })

  test.each([0.5, 0.8, 0.98])(
    'cut off after %d of its length is an error that names the file',
    async (part) => {
      const bytes = fileOf(format)
      const path = await write(`cut-${part}.${format}`, bytes.subarray(0, Math.floor(bytes.length * part)))
      const error = await errorOf(path)
      expect(error).toBeInstanceOf(ImageError)
      expect(error).toMatchObject({ code: 'truncated', message: expect.stringContaining(path) })
    },
  )

  test('cut off anywhere is never taken for a whole image of another size', async () => {
    const bytes = fileOf(format)
    for (let length = 1; length < bytes.length; length += Math.ceil(bytes.length / 40)) {
      await decodesOrRefuses(bytes.subarray(0, length))
    }
  })

  test('with bytes changed it is decoded or refused', async () => {
    const bytes = fileOf(format)
    const change = fc.record({
      at: fc.nat({ max: bytes.length - 1 }),
      value: fc.integer({ min: 0, max: 255 }),
    })
    const changes = fc.array(change, { minLength: 1, maxLength: 4 })
    await fc.assert(
      fc.asyncProperty(changes, async (changed) => {
        const damaged = Uint8Array.from(bytes)
        for (const { at, value } of changed) damaged[at] = value
        await decodesOrRefuses(damaged)
      }),
      { numRuns: 60 },
    )
  })

  test('a beginning that fits and then noise is refused', async () => {
    const bytes = Uint8Array.from(fileOf(format))
    for (let i = 16; i < bytes.length; i++) bytes[i] = Math.imul(i, 0x85ebca6b) >>> 24
    expect(await errorOf(bytes)).toBeInstanceOf(ImageError)
  })
})

describe('what is no image', () => {
  test('random bytes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 300 }), async (bytes) => {
        expect(await errorOf(bytes)).toBeInstanceOf(ImageError)
      }),
      { numRuns: 50 },
    )
  })

  test.each([
    ['a file of no bytes', 'empty.png', '', 'empty'],
    ['text by the name of a photo', 'notes.jpg', 'Monday: two wrens, one robin.\n', 'not-an-image'],
    [
      'a page that a server gave instead of a photo',
      'photo.jpg',
      '<!DOCTYPE html><html>404</html>',
      'unsupported',
    ],
    [
      'a drawing, which would be rendered',
      'logo.svg',
      '<svg xmlns="http://www.w3.org/2000/svg"/>',
      'unsupported',
    ],
    ['a photo of a telephone', 'photo.heic', '\0\0\0\x18ftypheic\0\0\0\0mif1heic', 'unsupported'],
  ])('%s', async (_, name, content, code) => {
    const path = await write(name, content)
    expect(await errorOf(path)).toMatchObject({
      name: 'ImageError',
      code,
      message: expect.stringContaining(path),
    })
  })

  test('a path where nothing is, and a folder', async () => {
    const nowhere = join(folder, 'nowhere.jpg')
    expect(await errorOf(nowhere)).toMatchObject({
      code: 'not-found',
      message: expect.stringContaining(nowhere),
    })
    expect(await errorOf(folder)).toMatchObject({
      code: 'not-an-image',
      message: expect.stringContaining(folder),
    })
  })
})

describe('what declares more than it has', () => {
  test.each([
    [65_535, 65_535],
    [2 ** 31 - 1, 2 ** 31 - 1],
    [2 ** 31 - 1, 1],
  ])('a PNG of %d x %d in 100 bytes is refused before memory is taken for it', async (width, height) => {
    const before = process.memoryUsage().rss
    expect(await errorOf(pngDeclaring(width, height))).toBeInstanceOf(ImageError)
    expect(process.memoryUsage().rss - before).toBeLessThan(100e6)
  })

  test('a JPEG of 65,500 x 65,500 is too large, and the message says how large', async () => {
    const bytes = Uint8Array.from(fileOf('jpeg'))
    const frame = bytes.findIndex(
      (byte, i) => byte === 0xff && (bytes[i + 1] === 0xc0 || bytes[i + 1] === 0xc2),
    )
    new DataView(bytes.buffer).setUint32(frame + 5, 65_500 * 65_536 + 65_500)
    expect(await errorOf(bytes)).toMatchObject({
      code: 'too-large',
      message: expect.stringContaining('65500 x 65500'),
    })
  })

  test('the limit is a number of pixels, and exactly that many are allowed', async () => {
    const bytes = fileOf('png')
    await expect(decodeImage(bytes, { maxPixels: HEIGHT * WIDTH })).resolves.toMatchObject({ height: HEIGHT })
    await expect(decodeImage(bytes, { maxPixels: HEIGHT * WIDTH - 1 })).rejects.toMatchObject({
      code: 'too-large',
    })
  })
})

/** A PNG whose header is in order and whose pixels are missing. */
function pngDeclaring(width: number, height: number): Uint8Array {
  const chunk = (name: string, body: Uint8Array) => {
    const named = Buffer.concat([Buffer.from(name, 'latin1'), body])
    const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)]
    length.writeUInt32BE(body.length)
    sum.writeUInt32BE(crc32(named))
    return Buffer.concat([length, named, sum])
  }
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([8, 2, 0, 0, 0], 8)
  const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1')
  const pixels = chunk('IDAT', deflateSync(Buffer.alloc(100)))
  return Buffer.concat([signature, chunk('IHDR', header), pixels, chunk('IEND', Buffer.alloc(0))])
}

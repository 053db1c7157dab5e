/**
 * Compares with what Pillow 13 makes of small files of each kind, written out; whole photos are compared in test/golden. The base64 files were written by
 * Pillow, and the levels beside them are its `convert('RGB')`.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32, deflateSync } from 'node:zlib'
import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import { openGoldens } from '../../../test/support/goldens.js'
import { decodeImage } from './decode-image.js'

const { root } = openGoldens()
const sources = join(root, 'preprocess/sources')
const decoded = join(root, 'preprocess/decoded')

const levelsOf = async (file: Uint8Array) => Array.from((await decodeImage(file)).data)
const base64 = (text: string) => Buffer.from(text, 'base64')

describe('JPEG', () => {
  test.each(['progressive-200x150', 'jpeg-444-97x131', 'cmyk-64x64'])(
    '%s is decoded to the very levels of libjpeg as Pillow has it',
    async (name) => {
      const own = await decodeImage(join(sources, `${name}.jpg`))
      const pillow = await decodeImage(join(decoded, `${name.replace(/-\d+x\d+$/, '')}.png`))
      expect(own.format).toBe('jpeg')
      expect(Buffer.compare(own.data, pillow.data)).toBe(0)
    },
  )

  test('CMYK without an Adobe marker is taken for inverted all the same, as Pillow does', async () => {
    const file = await readFile(join(sources, 'cmyk-64x64.jpg'))
    const marker = file.indexOf(Buffer.from([0xff, 0xee]))
    const plain = Buffer.concat([
      file.subarray(0, marker),
      file.subarray(marker + 2 + file.readUInt16BE(marker + 2)),
    ])
    expect(plain.length).toBeLessThan(file.length)
    const [own, pillow] = await Promise.all([decodeImage(plain), decodeImage(join(decoded, 'cmyk.png'))])
    expect(Buffer.compare(own.data, pillow.data)).toBe(0)
  })

  test('what follows the image is no error', async () => {
    const file = await readFile(join(sources, 'progressive-200x150.jpg'))
    const longer = await decodeImage(Buffer.concat([file, Buffer.from('and more')]))
    expect(Buffer.compare(longer.data, (await decodeImage(file)).data)).toBe(0)
  })
})

describe('PNG', () => {
  test('16-bit grey is clipped at 255, and with alpha its upper byte is kept', async () => {
    expect(await levelsOf(png16(0, [0x0010, 0x00ff, 0x0100, 0xabcd]))).toEqual(grey(16, 255, 255, 255))
    expect(await levelsOf(png16(4, [0x1234, 0xffff, 0xabcd, 0]))).toEqual(grey(0x12, 0xab))
  })

  test('16-bit colour keeps its upper byte', async () => {
    expect(await levelsOf(png16(2, [0x00ff, 0x0100, 0xffff]))).toEqual([0, 1, 255])
  })

  test('alpha is dropped, not blended: what is invisible keeps its colour', async () => {
    const rgba = Uint8Array.of(10, 20, 30, 0, 40, 50, 60, 128)
    const file = await sharp(rgba, { raw: { height: 1, width: 2, channels: 4 } })
      .png()
      .toBuffer()
    expect(await levelsOf(file)).toEqual([10, 20, 30, 40, 50, 60])
  })

  test.each([
    [
      'a palette',
      'iVBORw0KGgoAAAANSUhEUgAAAAMAAAABAgMAAABmjvwnAAAADFBMVEUKFB7IZDIHCAn////AF3BuAAAAAnRSTlP/AOW3MEoAAAAKSURBVHicY5AAAAAaABktiPQ2AAAAAElFTkSuQmCC',
      [10, 20, 30, 200, 100, 50, 7, 8, 9],
      [200, 100, 50],
    ],
    [
      'RGB',
      'iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAIAAAB7QOjdAAAABnRSTlMAKAAyADyXly4tAAAAD0lEQVR4nGNkZGJWN7AEAAE4AJjMyRYlAAAAAElFTkSuQmCC',
      [1, 2, 3, 40, 50, 60],
      [40, 50, 60],
    ],
    [
      'grey',
      'iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAAAAADRSSBWAAAAAnRSTlMAApidrBQAAAALSURBVHicY2TSAwAAOAAymndz2QAAAABJRU5ErkJggg==',
      [2, 2, 2, 48, 48, 48],
      [2, 2, 2],
    ],
  ])('the transparent colour of %s is told, and stays in the pixels', async (_, file, levels, colour) => {
    const image = await decodeImage(base64(file))
    expect(Array.from(image.data)).toEqual(levels)
    expect(image.transparentColour).toEqual(colour)
  })
})

describe('GIF', () => {
  const plain = 'R0lGODdhAwABAIEAAAoUHshkMgcICf///ywAAAAAAwABAAAIBgABBBAQEAA7'
  const transparent = 'R0lGODlhAwABAIEAAAoUHshkMgcICf///yH5BAEAAAEALAAAAAADAAEAAAgGAAEEEBAQADs='

  test('keeps the colour of transparent pixels, which libvips makes black', async () => {
    expect(await levelsOf(base64(plain))).toEqual([10, 20, 30, 200, 100, 50, 7, 8, 9])
    const image = await decodeImage(base64(transparent))
    expect(Array.from(image.data)).toEqual([10, 20, 30, 200, 100, 50, 7, 8, 9])
    expect(image.transparentColour).toEqual([200, 100, 50])
  })

  test('gives the first of several frames', async () => {
    const frames = Buffer.concat([Buffer.alloc(4 * 4 * 3, 200), Buffer.alloc(4 * 4 * 3, 10)])
    const file = await sharp(frames, { raw: { height: 8, width: 4, channels: 3, pageHeight: 4 } })
      .gif()
      .toBuffer()
    expect(await decodeImage(file)).toMatchObject({ height: 4, width: 4, data: new Uint8Array(48).fill(200) })
  })
})

describe('the EXIF orientation', () => {
  test.each([1, 2, 3, 4, 5, 6, 7, 8])(
    '%d is told either way, and turns the same pixels',
    async (orientation) => {
      const path = join(sources, `exif-${orientation}.jpg`)
      const stored = await decodeImage(path, { orientation: 'ignore' })
      const upright = await decodeImage(path)
      expect(stored).toMatchObject({ orientation, upright: false, height: 16, width: 24 })
      expect(upright).toMatchObject({
        orientation,
        upright: true,
        height: orientation < 5 ? 16 : 24,
        width: orientation < 5 ? 24 : 16,
      })
      expect(Buffer.compare(stored.data.toSorted(), upright.data.toSorted())).toBe(0)
    },
  )

  test('of a TIFF is applied even where it is to be ignored, since Pillow applies it', async () => {
    const file = base64(
      'SUkqAAgAAAALAAABBAABAAAAAgAAAAEBBAABAAAAAQAAAAIBAwADAAAAkgAAAAMBAwABAAAAAQAAAAYBAwABAAAAAgAAABEBBAABAAAAmAAAABIBAwABAAAABgAAABUBAwABAAAAAwAAABYBBAABAAAAAQAAABcBBAABAAAABgAAABwBAwABAAAAAQAAAAAAAAAIAAgACAABAgMoMjw=',
    )
    const image = await decodeImage(file, { orientation: 'ignore' })
    expect(image).toMatchObject({ format: 'tiff', height: 2, width: 1, upright: true })
    expect(Array.from(image.data)).toEqual([1, 2, 3, 40, 50, 60])
  })
})

test('a colour profile is not applied', async () => {
  const image = sharp(Buffer.from([200, 30, 40]), { raw: { height: 1, width: 1, channels: 3 } })
  // A wide profile changes the levels that are stored; they must come back as stored.
  const file = await image.withIccProfile('p3').png().toBuffer()
  const stored = await sharp(file, { ignoreIcc: true }).raw().toBuffer()
  expect(Array.from(stored)).not.toEqual([200, 30, 40])
  expect(await levelsOf(file)).toEqual(Array.from(stored))
})

test('bytes that lie in the middle of a larger array are read, and nothing around them', async () => {
  const file = await readFile(join(sources, 'small-20x14.png'))
  const around = new Uint8Array(file.length + 200).fill(7)
  around.set(file, 100)
  const image = await decodeImage(around.subarray(100, 100 + file.length))
  expect(image).toMatchObject({ height: 14, width: 20 })
})

test('an abort throws its reason, not an image error', async () => {
  const reason = new Error('no longer wanted')
  const path = join(sources, 'small-20x14.png')
  await expect(decodeImage(path, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  const controller = new AbortController()
  const running = decodeImage(path, { signal: controller.signal })
  controller.abort(reason)
  await expect(running).rejects.toBe(reason)
})

function grey(...levels: number[]): number[] {
  return levels.flatMap((level) => [level, level, level])
}

/** Makes a PNG of one row with 16 bits per value. */
function png16(colourType: 0 | 2 | 4, values: number[]): Uint8Array {
  const channels = { 0: 1, 2: 3, 4: 2 }[colourType]
  const header = Buffer.alloc(13)
  header.writeUInt32BE(values.length / channels, 0)
  header.writeUInt32BE(1, 4)
  header.set([16, colourType], 8)
  const row = Buffer.alloc(1 + 2 * values.length)
  values.forEach((value, i) => {
    row.writeUInt16BE(value, 1 + 2 * i)
  })
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    pngChunk('IHDR', header),
    pngChunk('IDAT', deflateSync(row)),
    pngChunk('IEND', Buffer.alloc(0)),
  ])
}

function pngChunk(name: string, body: Uint8Array): Buffer {
  const named = Buffer.concat([Buffer.from(name, 'latin1'), body])
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32BE(body.length)
  sum.writeUInt32BE(crc32(named))
  return Buffer.concat([length, named, sum])
}

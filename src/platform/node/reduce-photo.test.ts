import sharp from 'sharp'
import { expect, test } from 'vitest'
import { reducePhoto } from './reduce-photo.js'

const SIZE = { side: 100, mostBytes: 20_000 }

/** Makes a picture that is red above and blue below. */
function twoHalves(width: number, height: number) {
  const data = Buffer.alloc(width * height * 3)
  for (let i = 0; i < width * height; i++) data[3 * i + (i < (width * height) / 2 ? 0 : 2)] = 255
  return sharp(data, { raw: { width, height, channels: 3 } })
}

async function cornerOf(jpeg: Uint8Array): Promise<string> {
  const { data, info } = await sharp(jpeg).raw().toBuffer({ resolveWithObject: true })
  const at = (info.channels * (info.width * 3 + 3)) as number
  return (data[at] ?? 0) > 128 ? 'red' : 'blue'
}

test.each(['jpeg', 'png', 'webp'] as const)(
  'a large %s becomes small, and a small one stays as it is',
  async (format) => {
    const large = await reducePhoto(await twoHalves(400, 200).toFormat(format).toBuffer(), SIZE)
    expect([large.width, large.height]).toEqual([100, 50])
    expect((await sharp(large.jpeg).metadata()).format).toBe('jpeg')
    expect(await cornerOf(large.jpeg)).toBe('red')
    const small = await reducePhoto(await twoHalves(30, 20).toFormat(format).toBuffer(), SIZE)
    expect([small.width, small.height]).toEqual([30, 20])
  },
)

test.each(['jpeg', 'png'] as const)(
  'a %s is turned upright unless it is to lie as stored, and says nothing of its camera',
  async (format) => {
    const turned = await twoHalves(400, 200).withMetadata({ orientation: 3 }).toFormat(format).toBuffer()
    const upright = await reducePhoto(turned, SIZE)
    expect(await cornerOf(upright.jpeg)).toBe('blue')
    expect((await sharp(upright.jpeg).metadata()).exif).toBeUndefined()
    expect(await cornerOf((await reducePhoto(turned, { ...SIZE, orientation: 'ignore' })).jpeg)).toBe('red')
    const onSide = await twoHalves(400, 200).withMetadata({ orientation: 6 }).toFormat(format).toBuffer()
    const { width, height } = await reducePhoto(onSide, SIZE)
    expect([width, height]).toEqual([50, 100])
  },
)

test('grey, CMYK and transparent photos become RGB', async () => {
  for (const image of [
    twoHalves(40, 20).toColourspace('b-w').jpeg(),
    twoHalves(40, 20).toColourspace('cmyk').jpeg(),
    twoHalves(40, 20).ensureAlpha(0.5).png(),
  ]) {
    const { jpeg } = await reducePhoto(await image.toBuffer(), { ...SIZE, transparency: 'white' })
    expect(await sharp(jpeg).metadata()).toMatchObject({ channels: 3, space: 'srgb', width: 40 })
  }
})

test('a picture of noise keeps within the bytes that it may take', async () => {
  const data = Buffer.from(Uint8Array.from({ length: 600 * 600 * 3 }, (_, i) => (i * 2654435761) >>> 11))
  const { jpeg } = await reducePhoto(
    await sharp(data, { raw: { width: 600, height: 600, channels: 3 } })
      .png()
      .toBuffer(),
    { side: 600, mostBytes: 20_000 },
  )
  expect(jpeg.length).toBeLessThanOrEqual(20_000)
})

import sharp from 'sharp'
import { beforeAll, expect, test } from 'vitest'
import { rawPhoto, tiffPhoto } from '../../test/support/raw-photos.js'
import { rawPreviewOrNull } from './raw-preview.js'

let small: Uint8Array
let large: Uint8Array
let progressive: Uint8Array
beforeAll(async () => {
  const jpeg = (width: number, height: number, options = {}) =>
    sharp({
      create: {
        width,
        height,
        channels: 3,
        background: '#c08040',
        noise: { type: 'gaussian', mean: 128, sigma: 30 },
      },
    })
      .jpeg(options)
      .toBuffer()
  small = await jpeg(160, 120)
  large = await jpeg(640, 480)
  progressive = await jpeg(700, 500, { progressive: true })
})

const noise = (count: number) => Uint8Array.from({ length: count }, (_, at) => (at * 7919 * (at % 13)) % 256)

test('finds the largest picture among raw data, to its last byte', () => {
  const found = rawPreviewOrNull(rawPhoto('FUJIFILMCCD-RAW ', [small, noise(9999), large, noise(5000)]))
  expect(found).toMatchObject({ height: 480, width: 640, orientation: null })
  expect(Buffer.compare(found?.bytes ?? new Uint8Array(), large)).toBe(0)
})

test('takes a progressive one at the very end of the file', () => {
  const found = rawPreviewOrNull(rawPhoto('FOVb', [noise(100), progressive]))
  expect(Buffer.compare(found?.bytes ?? new Uint8Array(), progressive)).toBe(0)
})

test('a stamp, a picture that is cut off and beginnings by chance are none', () => {
  const chance = Uint8Array.of(0xff, 0xd8, 0xff, 0xe0, 0, 4, 1, 2, 9, 9, 0xff, 0xd8, 0xff)
  expect(rawPreviewOrNull(rawPhoto('FOVb', [small, chance]))).toBeNull()
  expect(rawPreviewOrNull(rawPhoto('FOVb', [chance, large.subarray(0, large.length - 2)]))).toBeNull()
  for (let end = 0; end < 700; end += 7) expect(rawPreviewOrNull(large.subarray(0, end))).toBeNull()
})

test('a DNG is taken at its word: raw data in tiles of JPEG is no preview', () => {
  const file = tiffPhoto({
    isDng: true,
    orientation: 6,
    images: [
      { jpeg: large, photometric: 6 },
      { jpeg: progressive, photometric: 34892 },
    ],
  })
  expect(rawPreviewOrNull(file)).toMatchObject({ height: 480, width: 640, orientation: 6 })
  const other = tiffPhoto({
    isDng: false,
    orientation: 8,
    images: [
      { jpeg: large, photometric: 6 },
      { jpeg: progressive, photometric: 34892 },
    ],
  })
  expect(rawPreviewOrNull(other)).toMatchObject({ height: 500, width: 700, orientation: 8 })
})

test('says which way a file lies that is TIFF but for its mark', () => {
  for (const mark of ['IIRO', 'IIRS', 'IIU\0']) {
    const file = tiffPhoto({ isDng: false, orientation: 3, images: [{ jpeg: large, photometric: 6 }] })
    file.set([...mark].map((letter) => letter.charCodeAt(0)))
    expect(rawPreviewOrNull(file)).toMatchObject({ orientation: 3 })
  }
})

import { expect, test } from 'vitest'
import { photoQuality } from './photo-quality.js'
import { type RgbPixels, reducePixels } from './reduce-pixels.js'

function filled(
  height: number,
  width: number,
  at: (x: number, y: number) => readonly [number, number, number],
): RgbPixels {
  const data = new Uint8Array(height * width * 3)
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) data.set(at(x, y), (y * width + x) * 3)
  return { height, width, data }
}

test('a grey picture of one level is not sharp, has no entropy and no colour', () => {
  const quality = photoQuality(filled(30, 40, () => [102, 102, 102]))
  expect(quality).toMatchObject({
    sharpness: 0,
    entropy: 0,
    colourfulness: 0,
    clippedDark: 0,
    clippedBright: 0,
  })
  expect(quality.brightness).toBeCloseTo(0.4, 6)
  expect(quality.brightness5).toBeCloseTo(0.4, 2)
})

test('a chessboard of single pixels has the variance of its Laplacian: every value is plus or minus 4 x 200', () => {
  const board = filled(64, 64, (x, y) => ((x + y) % 2 === 0 ? [200, 200, 200] : [0, 0, 0]))
  expect(photoQuality(board).sharpness / 800 ** 2).toBeCloseTo(1, 2)
  expect(photoQuality(board).entropy).toBeCloseTo(1, 6)
  expect(photoQuality(board).clippedDark).toBe(0.5)
})

test('one sharp part makes a sharp photo', () => {
  const part = filled(64, 64, (x, y) => (x < 16 && y < 16 && (x + y) % 2 === 0 ? [200, 200, 200] : [0, 0, 0]))
  expect(photoQuality(part).sharpness).toBeGreaterThan(500_000)
})

test('half red, half green is colourful as Hasler and Süsstrunk count it', () => {
  const found = photoQuality(filled(10, 10, (x) => (x < 5 ? [255, 0, 0] : [0, 255, 0])))
  // rg is 255 or -255, yb is 127.5 throughout.
  expect(found.colourfulness).toBeCloseTo(255 + 0.3 * 127.5, 4)
})

test('reducing keeps means, shape and what is small enough', () => {
  const stripes = filled(300, 1000, (x) => (x % 2 === 0 ? [0, 100, 200] : [100, 0, 0]))
  const reduced = reducePixels(stripes, 250)
  expect([reduced.height, reduced.width]).toEqual([75, 250])
  expect([...reduced.data.subarray(0, 3)]).toEqual([50, 50, 100])
  expect(reducePixels(reduced, 250)).toBe(reduced)
})

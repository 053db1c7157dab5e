import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { RgbImage } from './image.js'
import { turnUpright } from './turn-upright.js'

/** Makes an image from a drawing of one letter per pixel. */
function drawn(...rows: readonly [string, ...string[]]): RgbImage {
  const letters = Array.from(rows.join(''))
  const data = Uint8Array.from(letters.flatMap((letter) => [letter.charCodeAt(0), 1, 2]))
  return { height: rows.length, width: rows[0].length, data }
}

function drawing({ height, width, data }: RgbImage): string[] {
  const red = String.fromCharCode(...data.filter((_, i) => i % 3 === 0))
  return Array.from({ length: height }, (_, y) => red.slice(y * width, (y + 1) * width))
}

// EXIF says where the stored rows and columns lie: 6 has the visual top at the right of the stored image, 8 at its left.
test.each([
  [1, ['abc', 'def']],
  [2, ['cba', 'fed']],
  [3, ['fed', 'cba']],
  [4, ['def', 'abc']],
  [5, ['ad', 'be', 'cf']],
  [6, ['da', 'eb', 'fc']],
  [7, ['fc', 'eb', 'da']],
  [8, ['cf', 'be', 'ad']],
])('orientation %d', (orientation, expected) => {
  expect(drawing(turnUpright(drawn('abc', 'def'), orientation))).toEqual(expected)
})

test('a value that EXIF does not know leaves the image as it is', () => {
  const image = drawn('abc', 'def')
  for (const orientation of [0, 9, -1, Number.NaN]) expect(turnUpright(image, orientation)).toBe(image)
})

test('turning and turning back gives the very same pixels', () => {
  const back = (orientation: number) =>
    orientation === 6 || orientation === 8 ? 14 - orientation : orientation
  const side = fc.integer({ min: 1, max: 9 })
  fc.assert(
    fc.property(side, side, fc.integer({ min: 1, max: 8 }), (height, width, orientation) => {
      const data = Uint8Array.from({ length: height * width * 3 }, (_, i) => i)
      const image = { height, width, data }
      expect(turnUpright(turnUpright(image, orientation), back(orientation))).toEqual(image)
    }),
  )
})

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type RgbPixels, reducePixels } from './reduce-pixels.js'

/** Averages squares as it is meant, pixel by pixel, rounded to the nearest. */
function averaged({ height, width, data }: RgbPixels, factor: number): number[] {
  const means: number[] = []
  for (let row = 0; row + factor <= height; row += factor)
    for (let column = 0; column + factor <= width; column += factor)
      for (let channel = 0; channel < 3; channel++) {
        let sum = 0
        for (let at = 0; at < factor * factor; at++) {
          const y = row + Math.floor(at / factor)
          sum += data[(y * width + column + (at % factor)) * 3 + channel] ?? 0
        }
        means.push(Math.floor((sum + ((factor * factor) >> 1)) / (factor * factor)))
      }
  return means
}

test('squares are averaged alike whatever the width, and wherever the pixels lie in memory', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 2, max: 6 }),
      fc.integer({ min: 0, max: 3 }),
      fc.nat(),
      (longest, factor, offset, seed) => {
        // Both sides are whole squares, so that nothing but averaging happens.
        const [height, width] = [longest * factor, (1 + (seed % longest)) * factor]
        const bytes = Uint8Array.from({ length: offset + height * width * 3 }, (_, at) =>
          seed % 3 === 0 ? 255 : Math.imul(at - offset + seed, 2_654_435_761) >>> 24,
        )
        const image = { height, width, data: bytes.subarray(offset) }
        const reduced = reducePixels(image, longest)
        expect([reduced.height, reduced.width]).toEqual([longest, width / factor])
        expect([...reduced.data]).toEqual(averaged(image, factor))
      },
    ),
  )
})

test('hundreds of rows of the brightest pixels do not overflow', () => {
  for (const factor of [257, 258, 300]) {
    const image = {
      height: 4 * factor,
      width: 4 * factor,
      data: new Uint8Array(48 * factor * factor).fill(255),
    }
    expect(new Set(reducePixels(image, 4).data)).toEqual(new Set([255]))
  }
})

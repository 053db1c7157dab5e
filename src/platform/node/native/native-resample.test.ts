import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type PassOrder, pillowPasses, resample, torchPasses } from '../../../kernels/resample-pillow.js'
import { createNativeResample, nativeAvailability } from './index.js'

const { available, instructionSets } = nativeAvailability()

const noise = (length: number, seed: number) =>
  Uint8Array.from({ length }, (_, i) => Math.imul(i + seed, 0x9e3779b1) >>> 24)
/** Takes only the ends of the range: they make the largest sums, and clip on both sides. */
const extremes = (length: number, seed: number) => noise(length, seed).map((level) => (level > 127 ? 255 : 0))

describe.skipIf(!available).each(instructionSets)('resizing on %s', (instructionSet) => {
  const native = createNativeResample(instructionSet)

  test('gives the very bytes of the portable code, whatever the sizes, rule and order', async () => {
    const side = fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 260 }))
    const size = fc.tuple(side, side)
    const rule = fc.constantFrom<PassOrder | 'torch'>('pillow-13', 'horizontal-first', 'torch')
    await fc.assert(
      fc.asyncProperty(size, size, rule, fc.nat(), fc.boolean(), async (from, to, chosen, seed, hard) => {
        const image = (hard ? extremes : noise)(from[0] * from[1] * 3, seed)
        const passes = chosen === 'torch' ? torchPasses(from, to) : pillowPasses(from, to, chosen)
        const expected = resample(image, from, passes)
        const actual = await native(image, from, passes)
        expect(Buffer.compare(actual, expected)).toBe(0)
      }),
      { numRuns: 150 },
    )
  })

  test('so it does for a photo of many strips, with either pass first', async () => {
    for (const from of [
      [1203, 401],
      [301, 1507],
    ] as const) {
      const image = noise(from[0] * from[1] * 3, 3)
      for (const order of ['pillow-13', 'horizontal-first'] as const) {
        const passes = pillowPasses(from, [224, 224], order)
        expect(Buffer.compare(await native(image, from, passes), resample(image, from, passes))).toBe(0)
      }
    }
  })

  test('an image of the size asked for is given back as it is', async () => {
    const image = noise(12, 1)
    expect(await native(image, [2, 2], pillowPasses([2, 2], [2, 2], 'pillow-13'))).toBe(image)
  })

  test('many at a time do not mix', async () => {
    const sizes = Array.from({ length: 24 }, (_, i) => [20 + i, 60 - i] as const)
    const passesOf = (from: readonly [number, number]) => pillowPasses(from, [31, 33], 'pillow-13')
    const results = await Promise.all(
      sizes.map((from, i) => native(noise(from[0] * from[1] * 3, i), from, passesOf(from))),
    )
    results.forEach((actual, i) => {
      const expected = resample(noise(sizes[i][0] * sizes[i][1] * 3, i), sizes[i], passesOf(sizes[i]))
      expect(Buffer.compare(actual, expected)).toBe(0)
    })
  })

  test('pixels and taps that do not belong together are refused before any is touched', async () => {
    const passes = pillowPasses([4, 4], [2, 2], 'pillow-13')
    await expect(native(new Uint8Array(47), [4, 4], passes)).rejects.toThrow(TypeError)
    await expect(native(new Uint8Array(27), [3, 3], passes)).rejects.toThrow(TypeError)
  })
})

test.skipIf(!available)('a path that the processor lacks is named', () => {
  expect(() => createNativeResample('sse9' as never)).toThrow(/cannot run sse9/)
})

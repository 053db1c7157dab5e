import fc from 'fast-check'
import { expect, test } from 'vitest'
import { digestWords } from '../../kernels/digest-words.js'
import { fastestDigest } from './fastest-digest.js'
import { digestOfPixels } from './pixel-digest.js'

const slow = async (values: Float32Array) => digestWords(values)

test('the same pixels have the same digest wherever they lie in memory and whoever computes it, and one value or another shape changes it', async () => {
  const fast = fastestDigest()
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 0, max: 3 }),
      fc.nat(),
      async (height, width, offset, seed) => {
        const bytes = Uint8Array.from(
          { length: offset + height * width * 3 },
          (_, at) => (at - offset) * 97 + seed,
        )
        const data = bytes.subarray(offset)
        const digest = await digestOfPixels({ height, width, data }, fast)
        expect(digest).toMatch(/^[0-9a-f]{64}$/)
        expect(await digestOfPixels({ height, width, data: data.slice() }, slow)).toBe(digest)
        if (height !== width)
          expect(await digestOfPixels({ height: width, width: height, data }, fast)).not.toBe(digest)
        const at = seed % data.length
        data[at] = (data[at] ?? 0) + 1
        expect(await digestOfPixels({ height, width, data }, fast)).not.toBe(digest)
      },
    ),
    { numRuns: 40 },
  )
})

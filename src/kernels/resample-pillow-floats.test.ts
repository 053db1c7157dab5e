import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { resamplePillowFloats } from './resample-pillow-floats.js'

/** Makes numbers from 0 to 1 without a pattern, the same everywhere. */
const values = (count: number) =>
  Float32Array.from({ length: count }, (_, i) => ((i + 1) * 0.6180339887498949) % 1)

// Digests of what Image.fromarray(values).resize((width, height)) of Pillow 13.0.0 gives.
test.each([
  [[7, 7], [98, 98], '4bf07cc580b8c30b6478b08e427eb66250d92ac9848890c43b4cd88914c2696e'],
  [[5, 3], [64, 40], '89815c900f1000d111b1ab56ac51aca2a9771343ef066db6112d1fb677e059a5'],
  [[64, 50], [20, 9], '9482617be848f5f4ee0b1304bc49d49dbe511bbe534881650cacabe302d81b2b'],
  [[90, 4], [11, 4], 'ce7f90ffac175a65e0e8f56db342168523beaae3bc46a97f16dacbe2af4c18a3'],
  [[6, 6], [6, 13], 'b78d33c99d00bba004e028f4db5c0cd0b06a45d3aa4ff4fc8936cc05c0e1aab0'],
] as const)('%j becomes %j to the last bit', ([height, width], to, digest) => {
  const resized = resamplePillowFloats(values(height * width), [height, width], to)
  expect(createHash('sha256').update(resized).digest('hex')).toBe(digest)
})

test('the same size is the same numbers', () => {
  const own = values(12)
  expect(resamplePillowFloats(own, [3, 4], [3, 4])).toBe(own)
})

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { plainProducts } from './products.js'

const matrix = fc
  .record({ count: fc.integer({ min: 1, max: 12 }), width: fc.integer({ min: 1, max: 9 }) })
  .chain(({ count, width }) =>
    fc
      .array(fc.float({ min: -8, max: 8, noNaN: true }), {
        minLength: count * width,
        maxLength: count * width,
      })
      .map((values) => ({ rows: Float32Array.from(values), count, width })),
  )

test('a Gram matrix is symmetric, has no negative direction, and nothing of the mean in it', async () => {
  await fc.assert(
    fc.asyncProperty(matrix, fc.integer({ min: -50, max: 50 }), async ({ rows, width }, more) => {
      const { mean, sums } = await plainProducts.gram([rows], width)
      const vector = Float64Array.from({ length: width }, (_, i) => Math.cos(3 * i + 1))
      const image = await plainProducts.gramTimes([rows], mean, vector)
      let length = 0
      for (let i = 0; i < width; i++) {
        let product = 0
        for (let j = 0; j < width; j++) {
          expect(sums[i * width + j]).toBe(sums[j * width + i])
          product += sums[i * width + j] * vector[j]
        }
        expect(image[i]).toBeCloseTo(product, 8)
        length += product * vector[i]
      }
      expect(length).toBeGreaterThanOrEqual(-1e-9)
      const moved = await plainProducts.gram([rows.map((value) => value + more)], width)
      for (let i = 0; i < sums.length; i++) expect(moved.sums[i]).toBeCloseTo(sums[i], 2)
    }),
  )
})

test('blocks are rows one behind the other, and similarity is every product', async () => {
  const rows = Float32Array.of(1, 2, 3, 4, 5, 6)
  const whole = await plainProducts.gram([rows], 2)
  expect(await plainProducts.gram([rows.subarray(0, 2), rows.subarray(2)], 2)).toEqual(whole)
  expect([...whole.mean]).toEqual([3, 4])
  expect([...whole.sums]).toEqual([8, 8, 8, 8])
  expect([...(await plainProducts.similarity(Float32Array.of(1, 0, 0, 1), rows, 2))]).toEqual([
    1, 3, 5, 2, 4, 6,
  ])
})

test('mistakes are told, and a signal is heard', async () => {
  await expect(plainProducts.gram([], 2)).rejects.toThrow(/no rows of 2/)
  await expect(plainProducts.gram([new Float32Array(3)], 2)).rejects.toThrow(/3 numbers are no rows of 2/)
  await expect(plainProducts.gram([new Float32Array(3)], 0)).rejects.toThrow(/no 0 numbers/)
  const signal = AbortSignal.abort(new Error('enough'))
  await expect(plainProducts.gram([new Float32Array(2)], 2, { signal })).rejects.toThrow('enough')
})

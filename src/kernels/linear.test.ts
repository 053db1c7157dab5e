import fc from 'fast-check'
import { expect, test } from 'vitest'
import { linear } from './linear.js'

test('by hand: the weight is [out, in] and the bias is added', () => {
  const out = new Float32Array(4)
  linear(Float32Array.of(1, 2, 3, 4), Float32Array.of(1, 0, 10, 1), Float32Array.of(0.5, 0), 2, out)
  expect(Array.from(out)).toEqual([1.5, 12, 3.5, 34])
})

test('each row gives the same whether it is alone or among others', () => {
  const numbers = (length: number) =>
    fc.array(fc.integer({ min: -9, max: 9 }), { minLength: length, maxLength: length })
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 9 }), numbers(27), numbers(6), (rows, x, w) => {
      const weight = Float32Array.from(w)
      const input = Float32Array.from(x.slice(0, rows * 3))
      const all = new Float32Array(rows * 2)
      linear(input, weight, null, rows, all)
      for (let r = 0; r < rows; r++) {
        const one = new Float32Array(2)
        linear(input.subarray(r * 3, r * 3 + 3), weight, null, 1, one)
        expect(all.subarray(r * 2, r * 2 + 2)).toEqual(one)
      }
    }),
  )
})

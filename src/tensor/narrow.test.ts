import fc from 'fast-check'
import { expect, test } from 'vitest'
import { narrow, type StoredFloat } from './narrow.js'
import { toFloat32 } from './tensor.js'

const back = (values: readonly number[], dtype: StoredFloat): readonly number[] => {
  const { bytes } = narrow(Float32Array.from(values), dtype)
  return [...toFloat32({ dtype, shape: [values.length], bytes })]
}

test('a tie goes to the even neighbour in both narrow types', () => {
  // bfloat16 has 8 bits of a number, half has 11.
  expect(back([1 + 2 ** -8, 1 + 3 * 2 ** -8], 'BF16')).toEqual([1, 1 + 2 ** -6])
  expect(back([1 + 2 ** -11, 1 + 3 * 2 ** -11], 'F16')).toEqual([1, 1 + 2 ** -9])
})

test('what is too large for a half is told by its value, and bfloat16 holds it', () => {
  const values = Float32Array.of(1, 65504, 65520)
  expect(narrow(values, 'F16')).toMatchObject({ changed: 1, overflow: 65520 })
  expect(narrow(values, 'BF16')).toMatchObject({ changed: 2, overflow: null })
})

test('nothing is changed that the narrow type holds already, whatever the value', () => {
  const float = fc.float({ noNaN: true })
  for (const dtype of ['F16', 'BF16'] as const) {
    fc.assert(
      fc.property(fc.array(float), (values) => {
        const once = Float32Array.from(back(values, dtype))
        return narrow(once, dtype).changed === 0
      }),
    )
  }
})

test('no other value of the narrow type is nearer', () => {
  const float = fc.float({ noNaN: true, min: -60000, max: 60000 })
  for (const [dtype, bits] of [['F16', 11] as const, ['BF16', 8] as const]) {
    fc.assert(
      fc.property(float, (value) => {
        const [near = Number.NaN] = back([value], dtype)
        const exponent = Math.max(Math.floor(Math.log2(Math.abs(value) || 1)), dtype === 'F16' ? -14 : -126)
        return Math.abs(near - value) <= 2 ** (exponent - bits)
      }),
    )
  }
})

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { float32Text } from './float32-text.js'

const finite = fc.float({ noNaN: true, noDefaultInfinity: true })
const significant = (text: string) =>
  text
    .replace(/e.*/, '')
    .replace(/[-.]/g, '')
    .replace(/^0+|0+$/g, '').length

test.each([
  [0.1, '0.1'],
  [1, '1.0'],
  [-0, '-0.0'],
  [100, '100.0'],
  [16777216, '16777216.0'],
  [1.5e-7, '1.5e-7'],
  [1.234e-5, '0.00001234'],
  [1e13, '1e+13'],
  [9999999e5, '999999900000.0'],
  [3.4028234663852886e38, '3.4028235e+38'],
  [1.401298464324817e-45, '1e-45'],
  [1762400.25, '1762400.2'],
  [1762400.75, '1762400.8'],
  [2 ** -44, '5.684342e-14'],
  [Number.NaN, 'NaN'],
  [Number.NEGATIVE_INFINITY, '-inf'],
])('%f is written %s', (value, text) => {
  expect(float32Text(Math.fround(value))).toBe(text)
})

test('reads back as the very same float32, zeros with their sign', () => {
  fc.assert(
    fc.property(finite, (value) => Object.is(Math.fround(Number(float32Text(value))), value)),
    { numRuns: 5000 },
  )
})

test('no decimal with fewer digits reads back as the same float32', () => {
  fc.assert(
    fc.property(finite, (value) => {
      const digits = significant(float32Text(value))
      if (value === 0 || digits === 1) return true
      return Math.fround(Number(value.toPrecision(digits - 1))) !== value
    }),
    { numRuns: 5000 },
  )
})

test('every finite number is valid JSON', () => {
  fc.assert(fc.property(finite, (value) => typeof JSON.parse(float32Text(value)) === 'number'))
})

test('every power of two, where the gap below is half of that above, reads back', () => {
  for (let exponent = -149; exponent <= 127; exponent++) {
    expect(Math.fround(Number(float32Text(2 ** exponent)))).toBe(2 ** exponent)
  }
})

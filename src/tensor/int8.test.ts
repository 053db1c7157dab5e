import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fromInt8Rows, isLostInInt8, isWithinHalfAStep, toInt8Rows } from './int8.js'

/** A little beyond, the product with 127 may be infinite: such a network is not written. */
const LARGEST = Math.fround(3e38)

const rows = (depth: number) =>
  fc.array(fc.float({ noNaN: true, min: -LARGEST, max: LARGEST }), {
    minLength: depth,
    maxLength: depth,
  })

test('what bytes stand for has the same bytes and scales again, so that nobody need know that it was in bytes', () => {
  fc.assert(
    fc.property(rows(24), (values) => {
      const first = toInt8Rows(Float32Array.from(values), 8)
      const again = toInt8Rows(fromInt8Rows(first), 8)
      expect(again).toEqual(first)
    }),
    { numRuns: 2000 },
  )
})

test('a value is off by half a step of its row at most', () => {
  fc.assert(
    fc.property(rows(16), (values) => {
      const own = Float32Array.from(values)
      const back = fromInt8Rows(toInt8Rows(own, 16))
      expect(isWithinHalfAStep(own, back, 16)).toBe(true)
      // No byte is off by a whole step.
      const largest = Math.max(...own.map(Math.abs))
      back[3] = (back[3] ?? 0) + largest / 127
      expect(isWithinHalfAStep(own, back, 16)).toBe(largest < 2 ** -132)
    }),
  )
})

test('ties go to the even byte, as processors round', () => {
  const { bytes, scales } = toInt8Rows(Float32Array.of(127, 0.5, 1.5, 2.5, -0.5, -1.5, 63.5, 0), 8)
  expect([...scales]).toEqual([1])
  expect([...bytes]).toEqual([127, 0, 2, 2, 0, -2, 64, 0])
})

test('rows of zeros, and of the smallest numbers there are, have bytes', () => {
  const tiny = 2 ** -149
  const { bytes, scales } = toInt8Rows(Float32Array.of(0, -0, 190 * tiny, -tiny, 60 * tiny, 0), 2)
  expect([...scales]).toEqual([0, tiny, 0])
  expect([...bytes]).toEqual([0, 0, 127, -1, 0, 0])
})

test('a scale shows what is no number, wherever it stands', () => {
  for (const wrong of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])
    for (const at of [0, 1, 2]) {
      const values = Float32Array.of(1, 2, 3)
      values[at] = wrong
      expect(Number.isFinite(toInt8Rows(values, 3).scales[0])).toBe(false)
    }
})

test('a row is lost where more than nine tenths of it would be zeros beside its largest value', () => {
  const row = (small: number, large: number) =>
    Float32Array.from({ length: small + large }, (_, at) => (at < small ? 1 : 1000))
  expect(isLostInInt8(row(18, 2), 20)).toBe(false)
  expect(isLostInInt8(row(19, 1), 20)).toBe(true)
  expect(isLostInInt8(row(19, 1), 10)).toBe(false)
  expect(isLostInInt8(new Float32Array(20), 20)).toBe(false)
})

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { topClasses } from './top-classes.js'

test('the likeliest come first, equal ones by their number, with their part of the softmax', () => {
  const found = topClasses(Float32Array.of(0, Math.log(2), Math.log(2), Math.log(5)), 3)
  expect(found.map(({ index }) => index)).toEqual([3, 1, 2])
  expect(found.map(({ probability }) => probability)).toEqual(
    [0.5, 0.2, 0.2].map((p) => expect.closeTo(p, 6)),
  )
})

test('all parts make one whole, however large the scores are', () => {
  const scores = fc.array(fc.float({ min: -1e4, max: 1e4, noNaN: true }), { minLength: 1, maxLength: 50 })
  fc.assert(
    fc.property(scores, (values) => {
      const all = topClasses(Float32Array.from(values), values.length)
      const sum = all.reduce((total, { probability }) => total + probability, 0)
      expect(sum).toBeCloseTo(1, 9)
      expect(new Set(all.map(({ index }) => index)).size).toBe(values.length)
    }),
  )
})

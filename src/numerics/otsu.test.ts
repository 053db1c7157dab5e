import fc from 'fast-check'
import { expect, test } from 'vitest'
import { otsuThreshold } from './otsu.js'

test('two groups are parted in the middle, and wholly where each is one value', () => {
  expect(otsuThreshold([0, 0, 0, 4, 4])).toEqual({ threshold: 2, separability: 1 })
  expect(otsuThreshold([1, 1, 1]).separability).toBe(0)
})

test('what is even has three quarters of its variance between its halves', () => {
  const { threshold, separability } = otsuThreshold(Array.from({ length: 1000 }, (_, i) => i))
  expect(threshold).toBe(499.5)
  expect(separability).toBeCloseTo(0.75, 2)
})

test('no other threshold parts better, whatever the order, the unit and the origin', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -20, max: 20 }), { minLength: 2, maxLength: 30 }), (values) => {
      const { threshold, separability } = otsuThreshold(values)
      expect(otsuThreshold([...values].reverse())).toEqual({ threshold, separability })
      expect(otsuThreshold(values.map((v) => 2 * v + 8)).threshold).toBeCloseTo(2 * threshold + 8, 9)
      for (let cut = -20.5; cut < 21; cut++)
        expect(separabilityAt(values, cut)).toBeLessThanOrEqual(separability + 1e-9)
    }),
  )
})

test('no values and NaN are mistakes', () => {
  expect(() => otsuThreshold([])).toThrow(/no values/)
  expect(() => otsuThreshold([1, Number.NaN])).toThrow(/NaN/)
})

function separabilityAt(values: readonly number[], cut: number): number {
  const meanOf = (some: readonly number[]) => some.reduce((sum, v) => sum + v, 0) / some.length
  const mean = meanOf(values)
  const all = values.reduce((sum, v) => sum + (v - mean) ** 2, 0)
  const groups = [values.filter((v) => v > cut), values.filter((v) => v <= cut)].filter(
    ({ length }) => length > 0,
  )
  const between = groups.reduce((sum, group) => sum + group.length * (meanOf(group) - mean) ** 2, 0)
  return all > 0 ? between / all : 0
}

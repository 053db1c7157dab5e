import { expect, test } from 'vitest'
import { keepNumbers } from './keep-numbers.js'
import { adjustedRandIndex } from './rand-index.js'

const of = (...labels: number[]) => Int32Array.from(labels)

test('a group keeps the number of the one that it shares most rows with, and a new one gets a number that none ever had', () => {
  const before = of(4, 4, 4, 2, 2, 2, -1, -1)
  expect(keepNumbers(of(0, 0, 0, 1, 1, 2, 2, -1), before, 7)).toEqual({
    labels: of(4, 4, 4, 2, 2, 7, 7, -1),
    used: 8,
  })
})

test('of a group that was split the larger part keeps the number, and no number is given twice', () => {
  expect(keepNumbers(of(0, 1, 1, 1, 1), of(3, 3, 3, 3, 3), 4)).toEqual({ labels: of(4, 3, 3, 3, 3), used: 5 })
  expect(keepNumbers(of(0, 0, 0), of(-1, -1, -1), 0)).toEqual({ labels: of(0, 0, 0), used: 1 })
})

test('the adjusted Rand index is 1 for the same groups under other numbers, and that of the formula by hand', () => {
  expect(adjustedRandIndex(of(0, 0, 1, 1), of(5, 5, -1, -1))).toBe(1)
  // Pairs together in both 1, in the first 2, in the second 3, of 6: (1 - 1) / (2.5 - 1).
  expect(adjustedRandIndex(of(0, 0, 1, 1), of(0, 0, 0, 1))).toBe(0)
  expect(adjustedRandIndex(of(0, 0, 0, 1, 1, 1), of(0, 0, 1, 1, 2, 2))).toBeCloseTo(0.24242424, 8)
  expect(adjustedRandIndex(of(), of())).toBe(1)
  expect(() => adjustedRandIndex(of(1), of())).toThrow(RangeError)
})

import { expect, test } from 'vitest'
import { largestDifference } from './largest-difference.js'

test('the largest difference counts, whichever way it goes', () => {
  expect(largestDifference([1, 2, 3], [1, 4, 2])).toBe(2)
  expect(largestDifference([], [])).toBe(0)
})

test('a NaN on either side is infinitely far, wherever it stands', () => {
  expect(largestDifference([Number.NaN, 0], [0, 0])).toBe(Number.POSITIVE_INFINITY)
  expect(largestDifference([0, 0], [0, Number.NaN])).toBe(Number.POSITIVE_INFINITY)
  expect(largestDifference([Number.NaN], [Number.NaN])).toBe(Number.POSITIVE_INFINITY)
})

test('arrays of different length are infinitely far', () => {
  expect(largestDifference([1, 2], [1])).toBe(Number.POSITIVE_INFINITY)
})

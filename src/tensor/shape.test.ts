import { expect, test } from 'vitest'
import { elementCount, sameShape, sizeAt } from './shape.js'

test('a scalar has one element, a tensor with an empty side none', () => {
  expect([elementCount([]), elementCount([2, 3]), elementCount([2, 0, 3])]).toEqual([1, 6, 0])
})

test('shapes are the same only with the same rank', () => {
  expect([sameShape([2], [2]), sameShape([2], [2, 1]), sameShape([], []), sameShape([1, 2], [2, 1])]).toEqual(
    [true, false, true, false],
  )
})

test('an axis that a shape does not have fails with the shape', () => {
  expect(sizeAt([4, 7], 1)).toBe(7)
  expect(() => sizeAt([4, 7], 2)).toThrow('The shape [4, 7] has no axis 2.')
})

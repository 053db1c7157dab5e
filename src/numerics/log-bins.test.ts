import { expect, test } from 'vitest'
import { logBins } from './log-bins.js'

test('a cell has its neighbours first, then the means further away, and the border in the place of what lies beyond', () => {
  const values = Float32Array.from({ length: 25 }, (_, cell) => cell)
  const bins = logBins(values, 5, 5)
  const middle = bins.subarray(12 * 17, 13 * 17)
  expect([...middle.subarray(0, 9)]).toEqual([6, 7, 8, 11, 12, 13, 16, 17, 18])
  // Three cells away lies the border, where a window of four or six cells is left.
  expect(middle[9]).toBe((0 + 1 + 5 + 6) / 4)
  expect(middle[10]).toBe((1 + 2 + 3 + 6 + 7 + 8) / 6)
  expect([...bins.subarray(0, 9)]).toEqual([0, 0, 1, 0, 0, 1, 5, 5, 6])
})

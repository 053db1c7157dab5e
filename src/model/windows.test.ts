import { expect, test } from 'vitest'
import { filledFirst, layOut, offsetGrid, offsetRows, type Windows } from './windows.js'

const WINDOWS: Windows = {
  by: 'patches',
  rows: 2,
  columns: 2,
  globalBlocks: [1],
  attendsEmpty: true,
  around: 'attention',
  offsets: { rows: 4, columns: 4 },
}

test('windows lie from left to right and from top to bottom, with empty places where they reach beyond the grid', () => {
  const layout = layOut(WINDOWS, { rows: 2, columns: 3 })
  expect(layout).toEqual({ count: 2, window: { rows: 2, columns: 2 }, patches: [0, 1, 3, 4, 2, -1, 5, -1] })
  expect(filledFirst(layout)).toEqual([
    [0, 1, 3, 4],
    [2, 5, -1, -1],
  ])
})

test('a count of windows along an axis makes them as large as it takes', () => {
  const layout = layOut({ by: 'windows', rows: 2, columns: 2 }, { rows: 5, columns: 2 })
  expect(layout.window).toEqual({ rows: 3, columns: 1 })
  expect(layout.patches).toEqual([0, 2, 4, 1, 3, 5, 6, 8, -1, 7, 9, -1])
})

test('a global block has offsets of the whole grid, any other those of a window', () => {
  const grid = { rows: 6, columns: 5 }
  expect(offsetGrid(WINDOWS, 1, grid)).toEqual(grid)
  expect(offsetGrid(WINDOWS, 0, grid)).toEqual({ rows: 2, columns: 2 })
})

test('rows for offsets are as stored for the trained count of patches, and drawn out linearly for more', () => {
  const stored = Float32Array.of(0, 1, 2)
  expect(offsetRows(stored, 2, 2)).toEqual({ shape: [3, 1], values: stored })
  const { shape, values } = offsetRows(stored, 2, 3)
  expect(shape).toEqual([5, 1])
  for (const [i, value] of [0, 0.4, 1, 1.6, 2].entries()) expect(values[i]).toBeCloseTo(value, 6)
})

import { expect, test } from 'vitest'
import { sineTable } from './sines.js'

test('a place is told by sines and cosines of its column, then of its row, the first waves the fastest', () => {
  const table = sineTable({ temperature: 10000 }, { rows: 2, columns: 3 }, 8)
  const [column, row] = [2, 1]
  const cell = [...table.subarray((row * 3 + column) * 8, (row * 3 + column + 1) * 8)]
  const waves = (place: number) => [
    Math.sin(place),
    Math.sin(place / 100),
    Math.cos(place),
    Math.cos(place / 100),
  ]
  expect(cell).toEqual([...waves(column), ...waves(row)].map((value) => expect.closeTo(value, 6)))
})

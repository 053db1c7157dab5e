import { expect, test } from 'vitest'
import { maxRows } from './max-rows.js'

const run = (rows: readonly (readonly number[])[]) => {
  const out = new Float32Array(rows[0].length)
  maxRows(Float32Array.from(rows.flat()), out)
  return Array.from(out)
}

test('each column has its own largest value, also where all are negative', () => {
  expect(
    run([
      [1, -5],
      [3, -7],
      [2, -6],
    ]),
  ).toEqual([3, -5])
})

test('a NaN in a column is its result, wherever it stands', () => {
  expect(
    run([
      [Number.NaN, 1],
      [3, 2],
    ]),
  ).toEqual([Number.NaN, 2])
  expect(
    run([
      [3, 1],
      [Number.NaN, 2],
    ]),
  ).toEqual([Number.NaN, 2])
})

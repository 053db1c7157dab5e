import { expect, test } from 'vitest'
import { connectedParts } from './connected-parts.js'

test('cells that touch by an edge are one part, those that touch by a corner are not', () => {
  const mask = Uint8Array.of(
    1, 1, 0, 0,
    0, 0, 1, 0,
    1, 0, 1, 1,
  ) // biome-ignore format: rows are rows
  const { part, sizes } = connectedParts(mask, 4)
  expect([...part]).toEqual([1, 1, 0, 0, 0, 0, 2, 0, 3, 0, 2, 2])
  expect(sizes).toEqual([2, 3, 1])
})

test('the right edge of a row does not touch the left edge of the next', () => {
  expect(connectedParts(Uint8Array.of(0, 0, 1, 1, 0, 0), 3).sizes).toEqual([1, 1])
})

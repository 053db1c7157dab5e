import { expect, test } from 'vitest'
import { type MapPlace, nextTowards, within } from './places.js'

test('what lies within a line that is drawn is found, also where it is hollow', () => {
  const hook: MapPlace[] = [
    [0, 0],
    [10, 0],
    [10, 10],
    [8, 10],
    [8, 2],
    [0, 2],
  ]
  expect([
    ...within(hook, [
      [5, 1],
      [5, 5],
      [9, 9],
      [11, 1],
      [-1, 1],
    ]),
  ]).toEqual([0, 2])
  expect([...within([], [[0, 0]])]).toEqual([])
})

test('an arrow leads to the nearest place in its direction, and stays where there is none', () => {
  const places: MapPlace[] = [
    [0, 0],
    [10, 1],
    [4, 9],
    [0, -5],
  ]
  expect(nextTowards(places, 0, [1, 0])).toBe(1)
  expect(nextTowards(places, 0, [0, 1])).toBe(2)
  expect(nextTowards(places, 0, [0, -1])).toBe(3)
  expect(nextTowards(places, 1, [1, 0])).toBe(1)
  expect(nextTowards(places, -1, [1, 0])).toBe(0)
  expect(nextTowards([], -1, [1, 0])).toBe(-1)
})

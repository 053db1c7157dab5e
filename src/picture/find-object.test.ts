import { expect, test } from 'vitest'
import { seededRandom } from '../numerics/seeded-random.js'
import { findObject, OBJECT_SETTINGS } from './find-object.js'
import type { PatchMap } from './patch-map.js'

/** Makes patches that look one way within a box and another outside, each with some noise of its own. */
function scene(rows: number, columns: number, isObject: (row: number, column: number) => boolean): PatchMap {
  const random = seededRandom(2)
  const patches = Array.from({ length: rows * columns }, (_, cell) => {
    const inside = isObject(Math.floor(cell / columns), cell % columns)
    return Array.from({ length: 8 }, (_, i) => (inside === i < 4 ? 1 : 0) + 0.3 * (random() - 0.5))
  })
  return { patches: Float32Array.from(patches.flat()), grid: { rows, columns } }
}

test('a thing that looks otherwise than the rest is found, as mask and box', () => {
  const inBox = (row: number, column: number) => row >= 3 && row < 7 && column >= 5 && column < 11
  const found = findObject(scene(12, 16, inBox))
  expect(found?.box).toEqual({ top: 3, left: 5, bottom: 7, right: 11 })
  expect(found?.mask.reduce((sum, one) => sum + one, 0)).toBe(24)
  expect(found?.score).toBeGreaterThan(0.9)
})

test('of two things that look alike the larger one is taken, not both', () => {
  const inEither = (row: number, column: number) =>
    row >= 2 && row < 6 && ((column >= 1 && column < 4) || (column >= 10 && column < 14))
  const found = findObject(scene(10, 16, inEither))
  expect(found?.box).toEqual({ top: 2, left: 10, bottom: 6, right: 14 })
})

test('what fills most of a photo is found as well, since it has less of the edge', () => {
  const inBox = (row: number, column: number) => row >= 1 && row < 11 && column >= 1 && column < 15
  expect(findObject(scene(12, 16, inBox))?.box).toEqual({ top: 1, left: 1, bottom: 11, right: 15 })
})

test('keys, which all look alike, are told by their own setting', () => {
  const inBox = (row: number, column: number) => row >= 3 && row < 7 && column >= 5 && column < 11
  const map = scene(12, 16, inBox)
  const alike = { ...map, patches: map.patches.map((value) => value + 1) }
  expect(findObject(alike, OBJECT_SETTINGS.keys)?.box).toEqual({ top: 3, left: 5, bottom: 7, right: 11 })
})

test('where all looks alike nothing stands out, and mistakes are told', () => {
  const same: PatchMap = { patches: new Float32Array(32).fill(1), grid: { rows: 2, columns: 4 } }
  expect(findObject(same)).toBeNull()
  expect(
    findObject(
      scene(3, 3, (row) => row === 1),
      { tau: 1 },
    ),
  ).toBeNull()
  expect(() => findObject(same, { tau: 2 })).toThrow('tau cannot be 2')
  expect(() => findObject(same, { epsilon: 0 })).toThrow('epsilon cannot be 0')
  expect(() => findObject({ patches: new Float32Array(4), grid: { rows: 1, columns: 1 } })).toThrow(
    'two patches',
  )
})

import { expect, test } from 'vitest'
import { seededRandom } from '../numerics/seeded-random.js'
import { findObject, OBJECT_SETTINGS, objectFacetOf } from './find-object.js'
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

test('a thing that looks otherwise than the rest is found, as mask and box', async () => {
  const inBox = (row: number, column: number) => row >= 3 && row < 7 && column >= 5 && column < 11
  const found = await findObject(scene(12, 16, inBox))
  expect(found?.box).toEqual({ top: 3, left: 5, bottom: 7, right: 11 })
  expect(found?.mask.reduce((sum, one) => sum + one, 0)).toBe(24)
  expect(found?.score).toBeGreaterThan(0.9)
})

test('of two things that look alike the larger one is taken, not both', async () => {
  const inEither = (row: number, column: number) =>
    row >= 2 && row < 6 && ((column >= 1 && column < 4) || (column >= 10 && column < 14))
  const found = await findObject(scene(10, 16, inEither))
  expect(found?.box).toEqual({ top: 2, left: 10, bottom: 6, right: 14 })
})

test('what fills most of a photo is found as well, since it has less of the edge', async () => {
  const inBox = (row: number, column: number) => row >= 1 && row < 11 && column >= 1 && column < 15
  expect((await findObject(scene(12, 16, inBox)))?.box).toEqual({ top: 1, left: 1, bottom: 11, right: 15 })
})

test('keys, which all look alike, are told by what parts those of the photo', async () => {
  const inBox = (row: number, column: number) => row >= 3 && row < 7 && column >= 5 && column < 11
  const map = scene(12, 16, inBox)
  const alike = { ...map, patches: map.patches.map((value) => value + 1) }
  expect((await findObject(alike, OBJECT_SETTINGS.keys))?.box).toEqual({
    top: 3,
    left: 5,
    bottom: 7,
    right: 11,
  })
})

test('a family has what found more objects, by the names that models of it have', () => {
  expect(objectFacetOf('deit3_reg4_t14_tiny-imagenet')).toBe('patches')
  expect(objectFacetOf('birder/deit3_s16')).toBe('patches')
  expect(objectFacetOf('vit_reg4_s14_nps_ls_tiny-imagenet')).toBe('keys')
})

test('what parts alike from unlike is told by the photo, however alike all of its patches are', async () => {
  const inBox = (row: number, column: number) => row >= 2 && row < 5 && column >= 3 && column < 8
  const map = scene(9, 12, inBox)
  for (const common of [0, 1, 5]) {
    const alike = { ...map, patches: map.patches.map((value) => value + common) }
    const found = await findObject(alike, { tau: 'otsu', centred: false })
    expect(found?.box, `${common}`).toEqual({ top: 2, left: 3, bottom: 5, right: 8 })
  }
})

test('where all looks alike nothing stands out, and mistakes are told', async () => {
  const same: PatchMap = { patches: new Float32Array(32).fill(1), grid: { rows: 2, columns: 4 } }
  expect(await findObject(same)).toBeNull()
  const alone = scene(3, 3, (row) => row === 1)
  expect(await findObject(alone, { tau: 1 })).toBeNull()
  await expect(findObject(same, { tau: 2 })).rejects.toThrow('tau cannot be 2')
  await expect(findObject(same, { epsilon: 0 })).rejects.toThrow('epsilon cannot be 0')
  const one: PatchMap = { patches: new Float32Array(4), grid: { rows: 1, columns: 1 } }
  await expect(findObject(one)).rejects.toThrow('2 to 16384 patches, got 1 x 1')
  const reason = new Error('enough')
  await expect(findObject(alone, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
})

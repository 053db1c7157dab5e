import { expect, test } from 'vitest'
import { colorPatches, fitPatchColors } from './patch-colors.js'
import type { PatchMap } from './patch-map.js'
import { patchAt, patchSimilarity } from './patch-similarity.js'

/** Makes 2 x 2 patches of 4 numbers. */
const map = (...patches: number[][]): PatchMap => ({
  patches: Float32Array.from(patches.flat()),
  grid: { rows: 2, columns: patches.length / 2 },
})

const first = map([9, 0, 0, 0], [-9, 0, 0, 0], [0, 3, 0, 0], [0, -3, 0, 0])
const second = map([9, 0, 0, 0], [0, 0, 1, 0], [0, 0, -1, 0], [-9, 0, 0, 0])

test('the strongest difference becomes red, from 0 to 255, and equal patches have one colour in all images', async () => {
  const colors = await fitPatchColors([first, second])
  const [a, b] = [colorPatches(first, colors), colorPatches(second, colors)]
  expect([a.height, a.width]).toEqual([2, 2])
  expect(a.data[0]).toBe(255)
  expect(a.data[3]).toBe(0)
  expect([...b.data.subarray(0, 3)]).toEqual([...a.data.subarray(0, 3)])
  expect([...b.data.subarray(9, 12)]).toEqual([...a.data.subarray(3, 6)])
})

test('one odd patch of many does not take the contrast from the others', async () => {
  const count = 400
  const patches = Float32Array.from({ length: count * 4 }, (_, i) => (i % 4 === 0 ? (i / 4) % 2 : 0))
  patches[0] = 1000
  const many: PatchMap = { patches, grid: { rows: 20, columns: 20 } }
  const { data } = colorPatches(many, await fitPatchColors([many]))
  expect([data[3], data[6]]).toEqual([255, 0])
})

test('patches that are all alike are grey', async () => {
  const plain = map([1, 2, 3, 4], [1, 2, 3, 4], [1, 2, 3, 4], [1, 2, 3, 4])
  expect(new Set(colorPatches(plain, await fitPatchColors([plain])).data)).toEqual(new Set([128]))
})

test('mistakes are told', async () => {
  const narrow: PatchMap = { patches: new Float32Array(12), grid: { rows: 2, columns: 2 } }
  await expect(fitPatchColors([])).rejects.toThrow(/no patches/)
  await expect(fitPatchColors([first, narrow])).rejects.toThrow(/4 and of 3/)
  const colors = await fitPatchColors([first])
  expect(() => colorPatches(narrow, colors)).toThrow(/of 4 numbers, not of 3/)
  expect(() => patchAt(first, 2, 0)).toThrow(/no patch \(2, 0\) in a grid of 2 x 2/)
})

test('a patch is like itself and like its multiples, whatever the photo', () => {
  const query = patchAt(first, 0, 0)
  expect([...query]).toEqual([9, 0, 0, 0])
  expect([...patchSimilarity(query, second)]).toEqual([1, 0, 0, -1])
})

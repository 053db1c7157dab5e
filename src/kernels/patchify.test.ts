import { expect, test } from 'vitest'
import { patchify, placesOf } from './patchify.js'

const range = (count: number) => Float32Array.from({ length: count }, (_, i) => i)

test('a patch is laid out channel by channel, row by row', () => {
  const out = new Float32Array(8)
  patchify(range(8), { layout: 'planes', channels: 2, height: 2, width: 2, patch: 2, stride: 2 }, out)
  expect(Array.from(out)).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
})

test('patches run row by row from the top left; a remainder is dropped', () => {
  const out = new Float32Array(8)
  patchify(range(15), { layout: 'planes', channels: 1, height: 3, width: 5, patch: 2, stride: 2 }, out)
  expect(Array.from(out)).toEqual([0, 1, 5, 6, 2, 3, 7, 8])
})

test('both layouts of the same image give the same patches', () => {
  const planes = range(32)
  const rows = Float32Array.from({ length: 32 }, (_, i) => planes[(i % 2) * 16 + Math.floor(i / 2)])
  const geometry = { channels: 2, height: 4, width: 4, patch: 2, stride: 2 }
  const [a, b] = [new Float32Array(32), new Float32Array(32)]
  patchify(planes, { layout: 'planes', ...geometry }, a)
  patchify(rows, { layout: 'rows', ...geometry }, b)
  expect(a).toEqual(b)
})

test('patches that begin closer to each other than they are wide overlap', () => {
  const out = new Float32Array(2 * 9)
  const geometry = { channels: 1, height: 4, width: 6, patch: 3, stride: 2 }
  patchify(range(24), { layout: 'planes', ...geometry }, out)
  expect(Array.from(out)).toEqual([0, 1, 2, 6, 7, 8, 12, 13, 14, 2, 3, 4, 8, 9, 10, 14, 15, 16])
})

test('an image smaller than a patch has none', () => {
  expect([13, 14, 17, 18, 28].map((side) => placesOf(side, 14, 4))).toEqual([0, 1, 1, 2, 4])
})

import { expect, test } from 'vitest'
import { addParts, partRows } from './part-weights.js'

const sizes = { classTokens: 1, registers: 2, patches: 3 }

test('whole rows are taken apart by what their keys are, and added rows come to the same', () => {
  const rows = Float32Array.from({ length: 12 }, (_, at) => at)
  const added = {
    toClass: new Float32Array(2),
    toRegisters: new Float32Array(4),
    toPatches: new Float32Array(6),
  }
  for (const at of [0, 1]) addParts(rows.subarray(6 * at, 6 * at + 6), null, 1, sizes, added, at)
  const parts = partRows(rows, sizes)
  expect([...parts.toClass]).toEqual([0, 6])
  expect([...parts.toRegisters]).toEqual([1, 2, 7, 8])
  expect([...parts.toPatches]).toEqual([3, 4, 5, 9, 10, 11])
  expect(added).toEqual(parts)
})

test('a key that is no token is in none, and copies share', () => {
  const parts = {
    toClass: new Float32Array(1),
    toRegisters: new Float32Array(2),
    toPatches: new Float32Array(3),
  }
  addParts(Float32Array.of(0.25, 0.5, 0.25), [0, 4, -1], 0.5, sizes, parts, 0)
  addParts(Float32Array.of(0.5, 0.5), [0, 5], 0.5, sizes, parts, 0)
  expect(parts.toClass[0]).toBe(0.375)
  expect([...parts.toPatches]).toEqual([0, 0.25, 0.25])
})

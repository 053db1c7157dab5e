import fc from 'fast-check'
import { expect, test } from 'vitest'
import { cosineSimilarity } from '../../numerics/cosine-similarity.js'
import type { PatchMap } from '../patch-colors.js'
import { componentsFor } from './components-for.js'
import { makeReport } from './make-report.js'
import { indexPatches, nearestAgreement, similarToCode } from './patch-index.js'
import { spreadPatches } from './spread-patches.js'

/** Makes numbers without a pattern. */
function noise(seed: number, length: number): Float32Array {
  let state = seed + 1
  return Float32Array.from({ length }, () => {
    state = (state * 48271) % 2147483647
    return state / 2147483647 - 0.5
  })
}

/** Makes maps of patches that vary along `rank` directions of `width`, around a mean. */
function mapsOf(seed: number, rank: number, width: number): readonly PatchMap[] {
  const directions = noise(seed, (rank + 1) * width)
  return [0, 1, 2].map((map) => {
    const [rows, columns] = [3 + map, 4]
    const weights = noise(seed + map + 1, rows * columns * rank)
    const patches = Float32Array.from({ length: rows * columns * width }, (_, i) => {
      const [patch, at] = [Math.floor(i / width), i % width]
      let sum = 0.2 * (directions[rank * width + at] ?? 0)
      for (let k = 0; k < rank; k++)
        sum += (weights[patch * rank + k] ?? 0) * (directions[k * width + at] ?? 0)
      return sum
    })
    return { patches, grid: { rows, columns } }
  })
}

test('codes give the cosines of patches that vary along as many directions as there are components', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1e6 }), fc.integer({ min: 1, max: 6 }), (seed, rank) => {
      const maps = mapsOf(seed, rank, 24)
      // Vectors of length 1 around a mean lie along one direction more.
      const index = indexPatches(maps, rank + 1)
      const [first] = maps
      const codes = index.codes[1] ?? new Int8Array()
      const found = similarToCode(codes.subarray(0, rank + 1), index.codes[0] ?? new Int8Array(), index)
      const query = maps[1]?.patches.subarray(0, 24) ?? new Float32Array()
      for (const [patch, similarity] of found.entries())
        expect(
          Math.abs(
            similarity - cosineSimilarity(query, first?.patches.slice(24 * patch, 24 * patch + 24) ?? query),
          ),
        ).toBeLessThan(0.03)
      // A patch is like itself.
      expect(similarToCode(codes.subarray(0, rank + 1), codes, index)[0]).toBeCloseTo(1, 6)
    }),
    { numRuns: 30 },
  )
})

test('agreement is 1 where all is kept, less where little is, and 1 where there is nothing to find', () => {
  const maps = mapsOf(7, 12, 24)
  const agreement = (components: number) => nearestAgreement(maps, indexPatches(maps, components))
  expect(agreement(24)).toBeGreaterThan(0.95)
  expect(agreement(1)).toBeLessThan(0.7)
  const alone: PatchMap = { patches: noise(1, 5), grid: { rows: 1, columns: 1 } }
  expect(nearestAgreement([alone], indexPatches([alone], 3))).toBe(1)
})

test('patches that are all the same, and patches of zeros, are like each other and no NaN', () => {
  for (const value of [0, 3]) {
    const map: PatchMap = { patches: new Float32Array(24).fill(value), grid: { rows: 2, columns: 3 } }
    const index = indexPatches([map], 4)
    const [codes = new Int8Array()] = index.codes
    const found = similarToCode(codes.subarray(0, 4), codes, index)
    for (const similarity of found) expect(similarity).toBeCloseTo(value === 0 ? 0 : 1, 6)
  }
})

test('a spread takes patches of every photo, all of them where they fit, and refuses mixed widths', () => {
  const map = (value: number): PatchMap => ({
    patches: new Float32Array(40).fill(value),
    grid: { rows: 4, columns: 5 },
  })
  expect(spreadPatches([map(1), map(2), map(3)], 3)).toEqual({
    patches: Float32Array.of(1, 1, 2, 2, 3, 3),
    width: 2,
  })
  expect(spreadPatches([map(1), map(2)], 1000).patches).toHaveLength(80)
  const wide: PatchMap = { patches: new Float32Array(9), grid: { rows: 1, columns: 3 } }
  expect(() => spreadPatches([map(1), wide], 10)).toThrow(/of 2 and of 3 numbers/)
  expect(() => spreadPatches([], 10)).toThrow(/no patches/)
})

test('the nearest photos come first, at most five, and never the photo itself', () => {
  const photos = mapsOf(3, 4, 8).flatMap((map, i) => [
    { ...map, embedding: Float32Array.of(1, i) },
    { ...map, embedding: Float32Array.of(1, i + 0.1) },
    { ...map, embedding: Float32Array.of(-1, i) },
  ])
  const report = makeReport(photos)
  const [first] = report.photos
  expect(first?.neighbours).toHaveLength(5)
  expect(first?.neighbours[0]).toEqual({ photo: 1, similarity: expect.closeTo(0.995, 3) })
  expect(first?.neighbours.some(({ photo }) => photo === 0)).toBe(false)
  expect(report.patches).toBe(3 * (12 + 16 + 20))
})

test('of large grids fewer components are kept, and of too large ones none', () => {
  expect([64, 1369, 5476].map(componentsFor)).toEqual([32, 32, 16])
  expect(() => componentsFor(20_000)).toThrow(/20000 patches.*at most 11250/)
})

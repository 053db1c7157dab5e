import fc from 'fast-check'
import { expect, test } from 'vitest'
import { cosineSimilarity } from '../../numerics/cosine-similarity.js'
import type { PatchMap } from '../patch-map.js'
import { PictureError } from '../picture-error.js'
import { componentsFor } from './components-for.js'
import { makeReport } from './make-report.js'
import { indexPatches, nearestAgreement, similarToCode } from './patch-index.js'
import { spreadPatches } from './spread-patches.js'
import { thingsBlock } from './things-block.js'

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

test('codes give the cosines of patches that vary along as many directions as there are components', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 1e6 }), fc.integer({ min: 1, max: 6 }), async (seed, rank) => {
      const maps = mapsOf(seed, rank, 24)
      // Vectors of length 1 around a mean lie along one direction more.
      const index = await indexPatches(maps, rank + 1)
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

test('agreement is 1 where all is kept, less where little is, and 1 where there is nothing to find', async () => {
  const maps = mapsOf(7, 12, 24)
  const agreement = async (components: number) => nearestAgreement(maps, await indexPatches(maps, components))
  expect(await agreement(24)).toBeGreaterThan(0.95)
  expect(await agreement(1)).toBeLessThan(0.7)
  const alone: PatchMap = { patches: noise(1, 5), grid: { rows: 1, columns: 1 } }
  expect(await nearestAgreement([alone], await indexPatches([alone], 3))).toBe(1)
})

test('patches that are all the same, and patches of zeros, are like each other and no NaN', async () => {
  for (const value of [0, 3]) {
    const map: PatchMap = { patches: new Float32Array(24).fill(value), grid: { rows: 2, columns: 3 } }
    const index = await indexPatches([map], 4)
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
    grid: { rows: 1, columns: 3 },
    places: [10, 30, 50],
  })
  expect(spreadPatches([map(1), map(2)], 1000).patches).toHaveLength(80)
  const wide: PatchMap = { patches: new Float32Array(9), grid: { rows: 1, columns: 3 } }
  expect(() => spreadPatches([map(1), wide], 10)).toThrow(PictureError)
  expect(() => spreadPatches([], 10)).toThrow(PictureError)
})

test('the nearest photos come first, at most five, and never the photo itself', async () => {
  const photos = mapsOf(3, 4, 8)
    .map((map) => ({ ...map, things: map }))
    .flatMap((map, i) => [
      { ...map, embedding: Float32Array.of(1, i) },
      { ...map, embedding: Float32Array.of(1, i + 0.1) },
      { ...map, embedding: Float32Array.of(-1, i) },
    ])
  const report = await makeReport(photos)
  const [first] = report.photos
  expect(first?.neighbours).toHaveLength(5)
  expect(first?.neighbours[0]).toEqual({ photo: 1, similarity: expect.closeTo(0.995, 3) })
  expect(first?.neighbours.some(({ photo }) => photo === 0)).toBe(false)
  expect(report.patches).toBe(3 * (12 + 16 + 20))
})

test('background has no colours where it is told from things, and groups are shared by photos', async () => {
  const random = noise(5, 3 * 64 * 6)
  const photos = [0, 1, 2].map((photo) => ({
    grid: { rows: 8, columns: 8 },
    embedding: Float32Array.of(1, photo),
    patches: Float32Array.from({ length: 64 * 6 }, (_, i) => {
      const [patch, at] = [Math.floor(i / 6), i % 6]
      const isThing = [patch >> 3, patch & 7].every((place) => place > 1 && place < 6)
      return (at === (isThing ? 0 : 1) ? 4 : 0) + (random[photo * 384 + i] ?? 0)
    }),
  }))
  const report = await makeReport(photos.map((photo) => ({ ...photo, things: photo })))
  expect([report.hasBackground, report.separability > 0.9]).toEqual([true, true])
  for (const { colors, groups } of report.photos) {
    expect([0, 27].map((patch) => colors[4 * patch + 3])).toEqual([0, 255])
    expect(groups[0]).not.toBe(groups[27])
  }
  expect(report.groupPhotos[0]).toBe(3)
})

test('things are told by a block that is there, two thirds of the way up', () => {
  expect([1, 2, 3, 12, 24].map(thingsBlock)).toEqual([0, 1, 2, 8, 16])
})

test('of large grids fewer components are kept, and of too large ones none', () => {
  expect([64, 1369, 5476].map(componentsFor)).toEqual([32, 32, 12])
  expect(() => componentsFor(20_000)).toThrow(/20000 patches.*at most 7307/)
})

import { expect, test } from 'vitest'
import { plainProducts } from '../numerics/products.js'
import { seededRandom } from '../numerics/seeded-random.js'
import { agreeingMatches, matchPatches } from './match-patches.js'
import type { PatchMap } from './patch-map.js'

const map = (...patches: number[][]): PatchMap => ({
  patches: Float32Array.from(patches.flat()),
  grid: { rows: 1, columns: patches.length },
})

const first = map([1, 0, 0], [0, 1, 0], [0, 0.9, 0.1], [0, 0, 1])
const second = map([0, 2, 0], [3, 0.3, 0], [-1, 0, 0])

test('two patches match where each is the other’s nearest, whatever their length', async () => {
  const { matches, closest } = await matchPatches(first, second)
  expect(matches.map(({ from, to }) => [from, to])).toEqual([
    [1, 0],
    [0, 1],
  ])
  expect(closest).toBe(1)
  expect(matches[1]?.score).toBeCloseTo(1 / Math.hypot(1, 0.1), 6)
})

test('threshold, margin, ratio and limit each leave out what they say', async () => {
  const kept = async (options: object) =>
    (await matchPatches(first, second, options)).matches.map(({ from }) => from)
  expect(await kept({ threshold: 0.999 })).toEqual([1])
  expect(await kept({ limit: 1 })).toEqual([1])
  // The second patch of the first image has a rival: the third is as like the same one but for 0.006.
  expect(await kept({ margin: 0.05 })).toEqual([0])
  expect(await kept({ ratio: 0.2 })).toEqual([1, 0])
  expect(await kept({ ratio: 0.05 })).toEqual([1])
  const far = await matchPatches(map([1, 0]), map([-1, 0]))
  expect(far).toEqual({ matches: [], closest: -1 })
  expect((await matchPatches(map([1, 0]), map([1, 0]), { margin: 2 })).matches).toHaveLength(1)
})

test('an image matches itself patch by patch, in blocks as at once, and the products may be handed in', async () => {
  const random = seededRandom(1)
  const self: PatchMap = {
    patches: Float32Array.from({ length: 600 * 8 }, () => random() - 0.5),
    grid: { rows: 20, columns: 30 },
  }
  let calls = 0
  const { matches } = await matchPatches(self, self, {
    products: {
      similarity: async (...rows) => {
        calls++
        return await plainProducts.similarity(...rows)
      },
    },
  })
  expect(matches.every(({ from, to }) => from === to)).toBe(true)
  expect([matches.length, calls]).toEqual([600, 3])
})

test('mistakes are told', async () => {
  await expect(matchPatches(first, map([1, 0]))).rejects.toMatchObject({ code: 'mixed-models' })
  await expect(matchPatches(map(), map())).rejects.toMatchObject({ code: 'nothing-there' })
  await expect(matchPatches(first, second, { threshold: 2 })).rejects.toThrow('from -1 to 1: got 2')
  await expect(matchPatches(first, second, { limit: 0 })).rejects.toThrow('1 or more: got 0')
  await expect(matchPatches(first, second, { treshold: 1 } as object)).rejects.toThrow('threshold')
  const reason = new Error('enough')
  await expect(matchPatches(first, second, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
})

/** Places a grid over a photo of this size. */
const placed = (rows: number, columns: number, height: number, width: number) => ({
  grid: { rows, columns },
  patchBox: (row: number, column: number) => ({
    top: (row * height) / rows,
    bottom: ((row + 1) * height) / rows,
    left: (column * width) / columns,
    right: ((column + 1) * width) / columns,
  }),
})

test('matches that one map explains are told from the others, and the map is in pixels', () => {
  const [small, large] = [placed(10, 10, 100, 100), placed(20, 20, 400, 200)]
  // Each patch of the small grid lies three rows and two columns further on in the large one.
  const right = [0, 7, 13, 24, 38, 41, 59, 66, 72, 95].map((from) => ({
    from,
    to: (Math.floor(from / 10) + 3) * 20 + (from % 10) + 2,
    score: 0.9,
  }))
  const wrong = [3, 50, 88].map((from) => ({ from, to: 399 - from, score: 0.8 }))
  const found = agreeingMatches([...wrong, ...right], small, large, { kind: 'affine', tolerance: 0.5 })
  expect(found.matches.map(({ isInlier }) => isInlier)).toEqual([
    ...wrong.map(() => false),
    ...right.map(() => true),
  ])
  // Ten pixels of the small photo are one patch; of the large one, twenty down and ten across.
  const wanted = [1, 0, 20, 0, 2, 60, 0, 0, 1]
  for (const [at, value] of wanted.entries()) expect(found.map?.[at]).toBeCloseTo(value, 8)
  expect(agreeingMatches(wrong, small, large)).toEqual({
    matches: wrong.map((match) => ({ ...match, isInlier: false })),
    map: null,
  })
  expect(() => agreeingMatches([{ from: 100, to: 0, score: 1 }], small, large)).toThrow('no patch 100')
})

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fitRobustly } from './fit-robustly.js'
import { mapPoints } from './plane-map.js'
import { seededRandom } from './seeded-random.js'

const LEANING = Float64Array.of(0.9, -0.3, 40, 0.35, 1.1, -20, 2e-4, -1e-4, 1)

/** Moves points by a map, each by up to `noise` more, and puts the first `wrong` of them anywhere. */
function pairs(count: number, wrong: number, noise: number, seed: number) {
  const random = seededRandom(seed)
  const from = Float64Array.from({ length: count * 2 }, () => random() * 400)
  const to = mapPoints(LEANING, from).map((value) => value + (random() * 2 - 1) * noise)
  for (let at = 0; at < wrong * 2; at++) to[at] = random() * 400
  return { from, to }
}

test('a homography is found among as many wrong pairs as right ones, to the noise', () => {
  fc.assert(
    fc.property(fc.nat(1e6), fc.integer({ min: 20, max: 80 }), (seed, count) => {
      const wrong = Math.floor(count / 2)
      const { from, to } = pairs(count, wrong, 0.5, seed)
      const fit = fitRobustly(from, to, { kind: 'homography', tolerance: 3, seed })
      expect(fit).not.toBeNull()
      const right = fit?.inliers.subarray(wrong) ?? new Uint8Array(1)
      expect(right.reduce((sum, one) => sum + one, 0) / right.length).toBeGreaterThan(0.9)
      const truth = mapPoints(LEANING, from)
      const found = mapPoints(fit?.map ?? new Float64Array(9), from)
      const off = truth
        .subarray(wrong * 2)
        .map((value, at) => Math.abs(value - (found[wrong * 2 + at] ?? 1e9)))
      expect(off.reduce((sum, one) => sum + one, 0) / off.length).toBeLessThan(1.5)
    }),
    { numRuns: 30 },
  )
})

test('the same seed gives the same map, and exact pairs the exact one', () => {
  const { from, to } = pairs(30, 10, 0, 3)
  const options = { kind: 'homography', tolerance: 1, seed: 5 } as const
  const [once, again] = [fitRobustly(from, to, options), fitRobustly(from, to, options)]
  expect(once).toEqual(again)
  expect([...(once?.inliers ?? [])]).toEqual([...Array(10).fill(0), ...Array(20).fill(1)])
  for (const [at, value] of (once?.map ?? []).entries()) expect(value).toBeCloseTo(LEANING[at] ?? 1e9, 7)
})

test('what more pairs would have to agree with is not made up', () => {
  const { from, to } = pairs(4, 0, 0, 1)
  expect(fitRobustly(from, to, { kind: 'homography', tolerance: 1 })).toBeNull()
  const random = pairs(30, 30, 0, 2)
  expect(fitRobustly(random.from, random.to, { kind: 'homography', tolerance: 0.01 })).toBeNull()
  const line = Float64Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? i : 2 * i))
  expect(fitRobustly(line, line, { kind: 'affine', tolerance: 1 })).toBeNull()
  const same = new Float64Array(40).fill(3)
  expect(fitRobustly(line, same, { kind: 'affine', tolerance: 1 })).toBeNull()
  expect(() => fitRobustly(from, to, { kind: 'affine', tolerance: 0 })).toThrow('above 0: got 0')
  expect(() => fitRobustly(from, to.slice(2), { kind: 'affine', tolerance: 1 })).toThrow('no pairs of points')
})

test('a mirror image is found', () => {
  const { from } = pairs(12, 0, 0, 4)
  const to = from.map((value, at) => (at % 2 === 0 ? 400 - value : value))
  expect(fitRobustly(from, to, { kind: 'affine', tolerance: 0.1 })?.count).toBe(12)
})

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { composeMaps, fitMap, invertMap, mapPoints } from './plane-map.js'
import { seededRandom } from './seeded-random.js'

const pointsOf = (count: number, seed: number, side = 500) => {
  const random = seededRandom(seed)
  return Float64Array.from({ length: count * 2 }, () => random() * side)
}
/** Turns, scales and leans by as much as two photos of one thing differ. */
const maps = fc
  .record({
    angle: fc.double({ min: -3, max: 3, noNaN: true }),
    scale: fc.double({ min: 0.5, max: 2, noNaN: true }),
    lean: fc.double({ min: -3e-4, max: 3e-4, noNaN: true }),
    tilt: fc.double({ min: -3e-4, max: 3e-4, noNaN: true }),
    x: fc.double({ min: -300, max: 300, noNaN: true }),
    y: fc.double({ min: -300, max: 300, noNaN: true }),
  })
  .map(({ angle, scale, lean, tilt, x, y }) => {
    const [c, s] = [scale * Math.cos(angle), scale * Math.sin(angle)]
    return Float64Array.of(c, -s, x, s, c, y, lean, tilt, 1)
  })

const farthest = (a: Float64Array, b: Float64Array) =>
  a.reduce((most, value, at) => Math.max(most, Math.abs(value - (b[at] ?? Number.NaN))), 0)

test('a homography is recovered from the points that it has moved, four or many', () => {
  fc.assert(
    fc.property(maps, fc.constantFrom(4, 5, 40), fc.nat(1e6), (map, count, seed) => {
      const from = pointsOf(count, seed)
      const found = fitMap(from, mapPoints(map, from), 'homography')
      // Four points that are nearly on a line settle little, and may be refused.
      if (count === 4 && found === null) return
      const far = farthest(mapPoints(found ?? new Float64Array(9), from), mapPoints(map, from))
      expect(far).toBeLessThan(count === 4 ? 1e-3 : 1e-5)
    }),
  )
})

test('an affine map is recovered, and stays one', () => {
  fc.assert(
    fc.property(maps, fc.nat(1e6), (map, seed) => {
      const affine = map.slice()
      affine.set([0, 0], 6)
      const from = pointsOf(12, seed)
      const found = fitMap(from, mapPoints(affine, from), 'affine') ?? new Float64Array(9)
      expect([...found.subarray(6)]).toEqual([0, 0, 1])
      expect(farthest(mapPoints(found, from), mapPoints(affine, from))).toBeLessThan(1e-8)
    }),
  )
})

test('a map and its inverse are nothing together', () => {
  fc.assert(
    fc.property(maps, (map) => {
      const back = invertMap(map) ?? new Float64Array(9)
      expect(farthest(composeMaps(back, map), Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1))).toBeLessThan(1e-6)
    }),
  )
})

test('points that are too few, on one line or all in one place settle nothing', () => {
  const line = Float64Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? i : 3 * i + 1))
  const other = pointsOf(10, 1)
  expect(fitMap(line, other, 'affine')).toBeNull()
  expect(fitMap(line, other, 'homography')).toBeNull()
  expect(fitMap(new Float64Array(20).fill(7), other, 'affine')).toBeNull()
  expect(fitMap(other.slice(0, 6), other.slice(0, 6), 'homography')).toBeNull()
  expect(fitMap(other.slice(0, 4), other.slice(0, 4), 'affine')).toBeNull()
  expect(() => fitMap(other, line.slice(0, 4), 'affine')).toThrow('20 and 4 numbers are no pairs')
  expect(invertMap(Float64Array.of(1, 2, 0, 2, 4, 0, 0, 0, 1))).toBeNull()
})

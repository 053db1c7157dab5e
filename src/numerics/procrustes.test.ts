import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fitPlaneTurn, turnPoints } from './procrustes.js'

const points = Float32Array.of(0, 0, 3, 0, 3, 1, 0.5, 2)

test('points that were turned, mirrored and moved are brought back', () => {
  const turns = fc.record({
    angle: fc.float({ noNaN: true, min: -4, max: 4 }),
    isMirrored: fc.boolean(),
    x: fc.integer({ min: -9, max: 9 }),
  })
  fc.assert(
    fc.property(turns, ({ angle, isMirrored, x }) => {
      const [c, s] = [Math.cos(angle), Math.sin(angle)]
      const moved = new Float32Array(points.length)
      for (let at = 0; at < points.length; at += 2) {
        const u = isMirrored ? -points[at] : points[at]
        moved[at] = c * u - s * points[at + 1] + x
        moved[at + 1] = s * u + c * points[at + 1] - x
      }
      const back = turnPoints(fitPlaneTurn(moved, points), moved)
      for (const [i, value] of back.entries()) expect(value).toBeCloseTo(points[i], 4)
    }),
  )
})

test('no turn of a fine grid is nearer', () => {
  const to = Float32Array.of(1, 0, -3, 2, 2, 2, 0, 1)
  const squares = (from: Float32Array) => from.reduce((sum, value, i) => sum + (value - to[i]) ** 2, 0)
  const fitted = fitPlaneTurn(points, to)
  const best = squares(turnPoints(fitted, points))
  for (let step = 0; step < 720; step++) {
    const [c, s] = [Math.cos((step * Math.PI) / 360), Math.sin((step * Math.PI) / 360)]
    for (const matrix of [
      [c, -s, s, c],
      [c, s, s, -c],
    ] as const)
      expect(squares(turnPoints({ ...fitted, matrix }, points))).toBeGreaterThanOrEqual(best - 1e-4)
  }
})

test('lists of different lengths are told', () => {
  expect(() => fitPlaneTurn(points, new Float32Array(2))).toThrow(RangeError)
})

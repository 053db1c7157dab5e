import fc from 'fast-check'
import { expect, test } from 'vitest'
import { minimise } from './minimise.js'

const options = { tolerance: 1e-9, rounds: 500 }

test('a bowl of any shape has its lowest point found', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.tuple(fc.double({ min: 0.1, max: 100, noNaN: true }), fc.double({ min: -5, max: 5, noNaN: true })),
        {
          minLength: 1,
          maxLength: 8,
        },
      ),
      async (axes) => {
        const bowl = async (point: Float64Array, gradient: Float64Array) =>
          axes.reduce((sum, [steep, at], i) => {
            gradient[i] = steep * (point[i] - at)
            return sum + (steep / 2) * (point[i] - at) ** 2
          }, 0)
        const { point, slope } = await minimise(bowl, new Float64Array(axes.length), options)
        expect(slope).toBeLessThanOrEqual(options.tolerance)
        for (const [i, [steep, at]] of axes.entries())
          expect(Math.abs(point[i] - at)).toBeLessThanOrEqual(1e-8 / steep)
      },
    ),
    { numRuns: 30 },
  )
})

test("Rosenbrock's valley, which bends, is followed to its end", async () => {
  const valley = async ([x, y]: Float64Array, gradient: Float64Array) => {
    gradient[0] = -400 * x * (y - x * x) - 2 * (1 - x)
    gradient[1] = 200 * (y - x * x)
    return 100 * (y - x * x) ** 2 + (1 - x) ** 2
  }
  const { point, rounds } = await minimise(valley, Float64Array.of(-1.2, 1), options)
  expect(point[0]).toBeCloseTo(1, 8)
  expect(point[1]).toBeCloseTo(1, 8)
  expect(rounds).toBeLessThan(60)
})

test('it gives up where it is told to', async () => {
  const abort = new AbortController()
  const slope = async (_point: Float64Array, gradient: Float64Array) => {
    gradient[0] = 1
    abort.abort(new Error('enough'))
    return 0
  }
  await expect(minimise(slope, new Float64Array(1), { ...options, signal: abort.signal })).rejects.toThrow(
    'enough',
  )
})

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { principalComponents } from './principal-components.js'
import { projectRows } from './projections.js'
import { seededRandom } from './seeded-random.js'

test('points along a line have one component, the line', async () => {
  const rows = Float32Array.from([-2, -1, 0, 1, 2].flatMap((t) => [1 + 3 * t, 2 - 4 * t]))
  const { mean, components, variances } = await principalComponents([rows], 2, 2)
  expect([...mean]).toEqual([1, 2])
  // The line is (3, -4) / 5, turned so that its larger entry is positive; the mean of 25 t^2 is 50.
  expect(components[0]).toBeCloseTo(-0.6, 12)
  expect(components[1]).toBeCloseTo(0.8, 12)
  expect(variances[0]).toBeCloseTo(50, 10)
  expect(variances[1]).toBeCloseTo(0, 10)
})

test('a row is projected by what it differs from the mean', async () => {
  const rows = Float32Array.of(0, 0, 4, 0, 0, 2, 4, 2)
  const found = await principalComponents([rows], 2, 2)
  const out = projectRows(Float32Array.of(4, 0), found)
  expect(out[0]).toBeCloseTo(2, 12)
  expect(out[1]).toBeCloseTo(-1, 12)
})

test('rows that do not differ have no variance, and directions all the same', async () => {
  const { components, variances } = await principalComponents([new Float32Array(12).fill(3)], 4, 3)
  expect([...variances]).toEqual([0, 0, 0])
  expect(components.every(Number.isFinite)).toBe(true)
})

test('mistakes are told', async () => {
  await expect(principalComponents([], 4, 1)).rejects.toThrow(/no rows of 4/)
  await expect(principalComponents([new Float32Array(7)], 4, 1)).rejects.toThrow(/7 numbers/)
  await expect(principalComponents([new Float32Array(8)], 4, 5)).rejects.toThrow(/1 to 4 components.*not 5/)
})

test('rows too wide for a matrix have the components that a matrix would give, and every order of rows the same', async () => {
  const [width, count] = [1040, 90]
  const random = seededRandom(7)
  const rows = Float32Array.from(
    { length: count * width },
    (_, i) => (random() - 0.5) / (1 + (i % width)) + 3,
  )
  const found = await principalComponents([rows], width, 3)
  const narrower = (from: Float32Array) =>
    Float32Array.from({ length: count * 1000 }, (_, i) => from[Math.floor(i / 1000) * width + (i % 1000)])
  // The last 40 columns have nearly nothing: without them the covariance is made, and the components are nearly the same.
  const expected = await principalComponents([narrower(rows)], 1000, 3)
  for (let k = 0; k < 3; k++) {
    let product = 0
    for (let i = 0; i < 1000; i++)
      product += found.components[k * width + i] * expected.components[k * 1000 + i]
    expect(product).toBeGreaterThan(0.9999)
    expect(found.variances[k] / expected.variances[k]).toBeCloseTo(1, 4)
  }
  const halves = [rows.subarray(40 * width), rows.subarray(0, 40 * width)]
  const turned = await principalComponents(halves, width, 3)
  for (let i = 0; i < found.components.length; i++)
    expect(Math.abs(turned.components[i] - found.components[i])).toBeLessThan(1e-6)
})

test('law: right angles, length one, eigenvectors of the covariance, and as much variance as they say, in whatever order and blocks rows come', async () => {
  const shapes = fc.record({
    rowCount: fc.integer({ min: 2, max: 60 }),
    width: fc.integer({ min: 3, max: 24 }),
    seed: fc.integer({ min: 1, max: 1e6 }),
  })
  await fc.assert(
    fc.asyncProperty(shapes, async ({ rowCount, width, seed }) => {
      const rows = Float32Array.from({ length: rowCount * width }, (_, i) => {
        const noise = Math.sin(seed * 12.9898 + i * 78.233) * 43758.5453
        // Columns fall in weight, so that there is a first component to find.
        return (noise - Math.floor(noise) - 0.5) / (1 + (i % width) ** 2 / 4)
      })
      const found = await principalComponents([rows], width, 3)
      const { components, variances } = found
      for (let a = 0; a < 3; a++) {
        for (let b = 0; b <= a; b++) {
          let product = 0
          for (let i = 0; i < width; i++) product += components[a * width + i] * components[b * width + i]
          expect(product).toBeCloseTo(a === b ? 1 : 0, 9)
        }
      }
      const squares = new Float64Array(3)
      const products = new Float64Array(3)
      for (let at = 0; at < rows.length; at += width) {
        const out = projectRows(rows.subarray(at, at + width), found)
        for (let k = 0; k < 3; k++) {
          squares[k] += out[k] ** 2 / rowCount
          products[k] += (out[k] * out[(k + 1) % 3]) / rowCount
        }
      }
      for (let k = 0; k < 3; k++) {
        expect(Math.abs(squares[k] - variances[k])).toBeLessThanOrEqual(1e-8 * variances[0])
        // Coordinates along different eigenvectors are not correlated.
        expect(Math.abs(products[k])).toBeLessThanOrEqual(1e-8 * variances[0])
      }
      const cut = width * Math.floor(rowCount / 2)
      const turned = await principalComponents([rows.subarray(cut), rows.subarray(0, cut)], width, 3)
      for (let k = 0; k < 3; k++)
        expect(Math.abs(turned.variances[k] - variances[k])).toBeLessThanOrEqual(1e-8 * variances[0])
      expect(variances[0]).toBeGreaterThanOrEqual(variances[1])
      expect(variances[1]).toBeGreaterThanOrEqual(variances[2])
    }),
    { numRuns: 100 },
  )
})

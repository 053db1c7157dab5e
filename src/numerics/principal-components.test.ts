import fc from 'fast-check'
import { expect, test } from 'vitest'
import { principalComponents, projectRow } from './principal-components.js'

test('points along a line have one component, the line', () => {
  const rows = Float32Array.from([-2, -1, 0, 1, 2].flatMap((t) => [1 + 3 * t, 2 - 4 * t]))
  const { mean, components, variances } = principalComponents(rows, 2, 2)
  expect([...mean]).toEqual([1, 2])
  // The line is (3, -4) / 5, turned so that its larger entry is positive; the mean of 25 t^2 is 50.
  expect(components[0]).toBeCloseTo(-0.6, 12)
  expect(components[1]).toBeCloseTo(0.8, 12)
  expect(variances[0]).toBeCloseTo(50, 10)
  expect(variances[1]).toBeCloseTo(0, 10)
})

test('a row is projected by what it differs from the mean', () => {
  const rows = Float32Array.of(0, 0, 4, 0, 0, 2, 4, 2)
  const found = principalComponents(rows, 2, 2)
  const out = new Float64Array(2)
  projectRow(Float32Array.of(4, 0), found, out)
  expect(out[0]).toBeCloseTo(2, 12)
  expect(out[1]).toBeCloseTo(-1, 12)
})

test('rows that do not differ have no variance, and directions all the same', () => {
  const { components, variances } = principalComponents(new Float32Array(12).fill(3), 4, 3)
  expect([...variances]).toEqual([0, 0, 0])
  expect(components.every(Number.isFinite)).toBe(true)
})

test('mistakes are told', () => {
  expect(() => principalComponents(new Float32Array(0), 4, 1)).toThrow(/0 numbers are no rows of 4/)
  expect(() => principalComponents(new Float32Array(7), 4, 1)).toThrow(/7 numbers/)
  expect(() => principalComponents(new Float32Array(8), 4, 5)).toThrow(/1 to 4 components.*not 5/)
})

test('law: right angles, length one, eigenvectors of the covariance, and as much variance as they say', () => {
  const shapes = fc.record({
    rowCount: fc.integer({ min: 2, max: 60 }),
    width: fc.integer({ min: 3, max: 24 }),
    seed: fc.integer({ min: 1, max: 1e6 }),
  })
  fc.assert(
    fc.property(shapes, ({ rowCount, width, seed }) => {
      const rows = Float32Array.from({ length: rowCount * width }, (_, i) => {
        const noise = Math.sin(seed * 12.9898 + i * 78.233) * 43758.5453
        // Columns fall in weight, so that there is a first component to find.
        return (noise - Math.floor(noise) - 0.5) / (1 + (i % width) ** 2 / 4)
      })
      const found = principalComponents(rows, width, 3)
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
      const out = new Float64Array(3)
      for (let at = 0; at < rows.length; at += width) {
        projectRow(rows.subarray(at, at + width), found, out)
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
      expect(variances[0]).toBeGreaterThanOrEqual(variances[1])
      expect(variances[1]).toBeGreaterThanOrEqual(variances[2])
    }),
    { numRuns: 100 },
  )
})

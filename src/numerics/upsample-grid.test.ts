import fc from 'fast-check'
import { expect, test } from 'vitest'
import { seededRandom } from './seeded-random.js'
import { bicubicRows, evenAxes, type GridSize, jointBilateralRows, type PixelRows } from './upsample-grid.js'

function upsampleBicubic(values: Float32Array, from: GridSize, to: GridSize): Float32Array {
  return allOf(bicubicRows({ values, size: from }, evenAxes(from, to)), to)
}

function upsampleJointBilateral(values: Float32Array, from: GridSize, guide: Uint8Array, to: GridSize) {
  return allOf(jointBilateralRows({ values, size: from }, evenAxes(from, to), guide), to)
}

function allOf(rowAt: PixelRows, [height]: GridSize): Float32Array {
  return Float32Array.from(Array.from({ length: height }, (_, y) => [...rowAt(y)]).flat())
}

const sides = fc.record({
  rows: fc.integer({ min: 1, max: 7 }),
  columns: fc.integer({ min: 1, max: 7 }),
  height: fc.integer({ min: 1, max: 23 }),
  width: fc.integer({ min: 1, max: 23 }),
  seed: fc.integer(),
})

test('a constant stays one, whatever the sizes and the photo', () => {
  fc.assert(
    fc.property(sides, ({ rows, columns, height, width, seed }) => {
      const values = new Float32Array(rows * columns * 2)
      for (let i = 0; i < values.length; i++) values[i] = i % 2 === 0 ? 3 : -0.25
      const random = seededRandom(seed)
      const guide = Uint8Array.from({ length: height * width * 3 }, () =>
        random() > 0.5 ? 255 : random() * 255,
      )
      const made = [
        upsampleBicubic(values, [rows, columns], [height, width]),
        upsampleJointBilateral(values, [rows, columns], guide, [height, width]),
      ]
      for (const out of made) {
        expect(out.length).toBe(height * width * 2)
        const worst = out.reduce((most, v, i) => Math.max(most, Math.abs(v - (i % 2 === 0 ? 3 : -0.25))), 0)
        expect(worst).toBeLessThan(1e-5)
      }
    }),
  )
})

test('joint bilateral values stay within those that there were', () => {
  fc.assert(
    fc.property(sides, ({ rows, columns, height, width, seed }) => {
      const random = seededRandom(seed)
      const values = Float32Array.from({ length: rows * columns }, random)
      const guide = Uint8Array.from({ length: height * width * 3 }, () => random() * 256)
      const out = upsampleJointBilateral(values, [rows, columns], guide, [height, width])
      expect(Math.min(...out)).toBeGreaterThanOrEqual(Math.min(...values) - 1e-6)
      expect(Math.max(...out)).toBeLessThanOrEqual(Math.max(...values) + 1e-6)
    }),
  )
})

test('an edge of the photo within a place becomes an edge of the values', () => {
  // The edge is at pixel 13 of 32, while the places' edge is at 16.
  const guide = new Uint8Array(8 * 32 * 3).map((_, i) => (Math.floor(i / 3) % 32 < 13 ? 20 : 230))
  const out = upsampleJointBilateral(Float32Array.of(0, 0, 1, 1), [1, 4], guide, [8, 32])
  expect(out[12]).toBeLessThan(0.1)
  expect(out[17]).toBeGreaterThan(0.9)
})

test('bicubic is what torch gives', () => {
  // torch.nn.functional.interpolate(torch.tensor([[[[0., 1., 4.]]]]), size=(1, 6), mode='bicubic')
  const expected = [-0.10546875, 0.12109375, 0.45703125, 1.78515625, 3.35546875, 4.31640625]
  const out = upsampleBicubic(Float32Array.of(0, 1, 4), [1, 3], [1, 6])
  expect([...out]).toEqual(expected.map((v) => expect.closeTo(v, 6)))
})

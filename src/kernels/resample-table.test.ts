import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { numbers, rowsOfPlanes } from '../../test/kernels/numbers.js'
import {
  antialiasTaps,
  type Interpolation,
  interpolationTaps,
  plainTaps,
  resampleLevels,
  resampleTable,
  tableOfTaps,
  tapsOfTable,
  triangleTaps,
} from './resample-table.js'

function expectClose(weights: readonly number[], expected: readonly number[]): void {
  expect(weights).toHaveLength(expected.length)
  for (const [j, weight] of weights.entries()) expect(weight).toBeCloseTo(expected[j], 5)
}

describe('taps from 37 cells to 16, worked out by hand from the formulas', () => {
  test.each([
    [0, 0, [0.38719, 0.44145, 0.20926, -0.00306, -0.03182, -0.00302]],
    [7, 13, [-0.01636, -0.02951, 0.07407, 0.32048, 0.42831, 0.24359, 0.01838, -0.03187, -0.00709]],
    [15, 31, [-0.00302, -0.03182, -0.00306, 0.20926, 0.44145, 0.38719]],
  ])('antialiased, output %i begins at %i', (i, first, expected) => {
    const { indices, weights } = antialiasTaps(37, 16)
    expect(indices[i][0]).toBe(first)
    expect(weights[i]).toHaveLength(expected.length)
    expectClose(weights[i], expected)
  })

  test.each([
    [0, [0, 0, 1, 2], [-0.05816, 0.38428, 0.7849, -0.11103]],
    [7, [15, 16, 17, 18], [-0.01545, 0.14904, 0.94984, -0.08343]],
    [15, [34, 35, 36, 36], [-0.11103, 0.7849, 0.38428, -0.05816]],
  ])('plain, output %i takes %j', (i, indices, expected) => {
    const taps = plainTaps(37, 16)
    expect(taps.indices[i]).toEqual(indices)
    expectClose(taps.weights[i], expected)
  })

  test('plain with a step of 37 / 16.1, as Facebook has it', () => {
    const { weights } = plainTaps(37, 16, 37 / 16.1)
    const expected = [-0.05995, 0.39391, 0.77693, -0.11088]
    expectClose(weights[0], expected)
  })
})

test('the taps of every output sum to 1, so a constant table stays constant', () => {
  const size = fc.integer({ min: 1, max: 60 })
  fc.assert(
    fc.property(size, size, (from, to) => {
      for (const { weights } of [plainTaps(from, to), antialiasTaps(from, to)]) {
        for (const row of weights) expect(row.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 12)
      }
    }),
  )
})

test('the same size changes nothing', () => {
  const table = Float32Array.from({ length: 24 }, (_, i) => Math.sin(i))
  for (const taps of [plainTaps, antialiasTaps]) {
    expect(resampleTable(table, [3, 4], taps(3, 3), taps(4, 4))).toEqual(table)
  }
})

test('rows and columns are not mixed up: stretching a row pattern leaves columns equal', () => {
  const table = Float32Array.of(1, 1, 2, 2, 3, 3)
  const out = resampleTable(table, [3, 2], antialiasTaps(3, 5), antialiasTaps(2, 4))
  for (let y = 0; y < 5; y++) {
    for (let x = 1; x < 4; x++) expect(out[y * 4 + x]).toBeCloseTo(out[y * 4], 6)
  }
  expect(out[0]).toBeLessThan(out[16])
})

test('levels are resampled as a table is, though the height goes first', () => {
  const [height, width] = [9, 13]
  const levels = Uint8Array.from({ length: height * width * 3 }, (_, i) => (i * 37) % 256)
  for (const taps of [antialiasTaps, triangleTaps]) {
    const [vertical, horizontal] = [taps(height, 4), taps(width, 17)]
    const table = resampleTable(Float32Array.from(levels), [height, width], vertical, horizontal)
    const found = resampleLevels(levels, [height, width], vertical, horizontal)
    expect(found).toHaveLength(table.length)
    for (const [i, value] of found.entries()) expect(value).toBeCloseTo(table[i], 3)
  }
})

interface Resized extends Interpolation {
  readonly height: number
  readonly width: number
  readonly factor: number | null
  readonly size: readonly [number, number]
  readonly y: readonly number[]
}
const { resize } = JSON.parse(
  readFileSync(new URL('../../test/kernels/expected.json', import.meta.url), 'utf8'),
) as { readonly resize: readonly Resized[] }

test.each(
  resize.map((row) => {
    const { height, width, mode, corners, factor, size } = row
    const to = factor === null ? `to ${size.join(' x ')}` : `by ${factor}`
    return [`${height} x ${width} ${to}, ${mode}${corners ? ', corners on corners' : ''}`, row] as const
  }),
)('taps of PyTorch: %s', (_, { height, width, factor, size, y, ...how }) => {
  const taps = [height, width].map((side, axis) =>
    interpolationTaps(side, factor === null ? { size: size[axis] } : { factor }, how),
  )
  expect(taps.map(({ indices }) => indices.length)).toEqual(size)
  const picture = rowsOfPlanes(numbers(2 * height * width), 2)
  const found = resampleTable(picture, [height, width], taps[0], taps[1])
  for (const [i, value] of y.entries()) expect(found[i]).toBeCloseTo(value, 6)
})

test('a table of taps gives back the same taps, filled up with weights of 0', () => {
  const taps = antialiasTaps(7, 4)
  const count = Math.max(...taps.indices.map((row) => row.length))
  expect(taps.indices.some((row) => row.length < count)).toBe(true)
  const back = tapsOfTable(tableOfTaps(taps), count)
  for (const [i, row] of taps.indices.entries()) {
    expect(back.indices[i].slice(0, row.length)).toEqual(row)
    expect(back.weights[i].slice(0, row.length)).toEqual(taps.weights[i].map(Math.fround))
    expect(back.weights[i].slice(row.length).every((weight) => weight === 0)).toBe(true)
  }
})

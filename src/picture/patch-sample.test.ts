import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { PatchMap } from './patch-map.js'
import { PatchSample } from './patch-sample.js'

const WIDTH = 3

/** Has in each patch its photo, row and column. */
function mapOf(photo: number, rows: number, columns: number): PatchMap {
  const cells = Array.from({ length: rows * columns }, (_, cell) => cell)
  const patches = cells.flatMap((cell) => [photo, Math.floor(cell / columns), cell % columns])
  return { patches: Float32Array.from(patches), grid: { rows, columns } }
}

test('as long as all patches fit they are kept as they are', () => {
  const sample = new PatchSample(2 * 6 * WIDTH)
  const maps = [mapOf(0, 2, 3), mapOf(1, 3, 2)]
  for (const map of maps) sample.add(map)
  expect(sample.step).toBe(1)
  expect(sample.maps).toEqual(maps)
})

test('beyond that what is kept is within the bound, lies evenly over each photo, and the first photo is whole', () => {
  const sizes = fc.array(fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 })), {
    minLength: 1,
    maxLength: 20,
  })
  fc.assert(
    fc.property(sizes, fc.integer({ min: 1, max: 400 }), (grids, most) => {
      const sample = new PatchSample(most * WIDTH)
      const maps = grids.map(([rows, columns], photo) => mapOf(photo, rows, columns))
      for (const map of maps) sample.add(map)
      const { step } = sample
      expect(sample.maps[0]).toEqual(maps[0])
      for (const [photo, { patches, grid }] of sample.maps.entries()) {
        if (photo === 0) continue
        const [rows = 0, columns = 0] = grids[photo] ?? []
        expect(grid).toEqual({ rows: Math.ceil(rows / step), columns: Math.ceil(columns / step) })
        for (let cell = 0; cell < grid.rows * grid.columns; cell++) {
          const place = [photo, step * Math.floor(cell / grid.columns), step * (cell % grid.columns)]
          expect([...patches.subarray(cell * WIDTH, (cell + 1) * WIDTH)]).toEqual(place)
        }
      }
      const count = sample.maps.reduce((sum, { patches }) => sum + patches.length / WIDTH, 0)
      const [first] = grids
      const least = (first?.[0] ?? 0) * (first?.[1] ?? 0) + grids.length - 1
      expect(count).toBeLessThanOrEqual(Math.max(most, least))
    }),
  )
})

test('a map that is added row by row has what a map that is thinned has, the first one too', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 })), {
        minLength: 1,
        maxLength: 6,
      }),
      fc.integer({ min: 1, max: 300 }),
      (grids, most) => {
        const sample = new PatchSample(most * WIDTH)
        for (const [photo, [rows, columns]] of grids.entries()) {
          const { patches, grid } = mapOf(photo, rows, columns)
          const length = columns * WIDTH
          sample.addRows({ grid }, WIDTH, (row) => patches.subarray(row * length, (row + 1) * length))
        }
        const { step, maps } = sample
        const numbers = maps.reduce((sum, { patches }) => sum + patches.length, 0)
        expect(numbers <= most * WIDTH || maps.every(({ grid }) => grid.rows * grid.columns === 1)).toBe(true)
        for (const [photo, [rows, columns]] of grids.entries()) {
          const down = Array.from({ length: Math.ceil(rows / step) }, (_, row) => row * step)
          const across = Array.from({ length: Math.ceil(columns / step) }, (_, column) => column * step)
          const expected = down.flatMap((row) => across.flatMap((column) => [photo, row, column]))
          expect([...(maps[photo]?.patches ?? [])]).toEqual(expected)
        }
      },
    ),
  )
})

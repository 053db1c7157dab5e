import { expect, test } from 'vitest'
import { alignPixels, layOver } from './align-pixels.js'
import { chessboard } from './chessboard.js'
import { compareLaidOver } from './compare-laid-over.js'
import { findKeypoints, mirrorKeypoints } from './keypoints.js'
import { mapOfPlaces } from './match-keypoints.js'
import { mapPoints } from './plane-map.js'
import type { GreyPixels } from './reduce-pixels.js'
import { seededRandom } from './seeded-random.js'

/** Makes pictures of one scene of soft spots: each pixel shows the place to which `x` and `y` lead. */
function scene(
  height: number,
  width: number,
  at: (x: number, y: number) => readonly [number, number],
): GreyPixels {
  const random = seededRandom(8)
  const spots = Array.from({ length: 160 }, () => [
    220 * random() - 10,
    220 * random() - 10,
    2 + 6 * random(),
    160 * (random() - 0.5),
  ])
  const data = new Float32Array(height * width)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const [u, v] = at(x, y)
      let value = 120
      for (const [cx = 0, cy = 0, size = 1, strength = 0] of spots) {
        const distance = ((u - cx) ** 2 + (v - cy) ** 2) / size ** 2
        if (distance < 18) value += strength * Math.exp(-distance / 2)
      }
      data[y * width + x] = Math.max(0, Math.min(255, value))
    }
  return { height, width, data }
}

const first = scene(160, 200, (x, y) => [x, y])
/** Is the first one turned by a little, smaller and cut: its pixel (x, y) shows the first's (1.2 x - 0.1 y + 20, 0.1 x + 1.2 y + 9). */
const second = scene(110, 140, (x, y) => [1.2 * x - 0.1 * y + 20, 0.1 * x + 1.2 * y + 9])
const corners = Float64Array.of(30, 20, 150, 20, 30, 130, 150, 130)

/** Says how far a map takes the first's corners from where the second shows them. */
function error(map: Float64Array): number {
  const there = mapPoints(map, corners)
  const back = mapPoints(Float64Array.of(1.2, -0.1, 20, 0.1, 1.2, 9, 0, 0, 1), there)
  return Math.max(...back.map((value, i) => Math.abs(value - (corners[i] ?? Number.NaN))))
}

test('places of one picture are found again in another, mirrored or not, and agree on where it lies', () => {
  const [a, b] = [findKeypoints(first, 300), findKeypoints(second, 300)]
  const found = mapOfPlaces(a, b)
  expect(found?.count).toBeGreaterThan(15)
  expect(error(found?.map ?? new Float64Array(9))).toBeLessThan(1)
  const data = second.data.map((_, i) => second.data[i - (i % 140) + 139 - (i % 140)] ?? 0)
  const mirrored = mirrorKeypoints(findKeypoints({ ...second, data }, 300), 140)
  expect(error(mapOfPlaces(a, mirrored)?.map ?? new Float64Array(9))).toBeLessThan(1)
})

test('a map settles within a tenth of a pixel, on a brighter copy as well, and what it lays over agrees', () => {
  const start = mapOfPlaces(findKeypoints(first, 300), findKeypoints(second, 300))?.map ?? new Float64Array(9)
  const shifted = start.map((value, i) => value + (i === 2 ? 2 : i === 5 ? -2 : 0))
  const brighter = { ...second, data: second.data.map((value) => 0.8 * value + 30) }
  const settled = alignPixels(first, brighter, shifted)
  if (settled === null) throw new Error('it did not settle')
  expect(error(settled.map)).toBeLessThan(0.1)
  expect(settled.gain).toBeCloseTo(0.8, 1)
  const laid = layOver(first, brighter, settled.map)
  expect(compareLaidOver(first, laid, settled.gain, settled.offset)).toMatchObject({
    agreeing: 1,
    changed: 0,
    mark: null,
  })
})

test('a block that shows another thing is seen, and a mark is told from it', () => {
  const whole = { ...first, data: first.data.slice() }
  const stroke = (x: number, y: number) => y > 60 && y < 90 && x > 20 && x < 180 && x % 12 < 5
  const pixels = (change: (value: number, x: number, y: number) => number) => ({
    ...whole,
    data: whole.data.map((value, i) => change(value, i % 200, Math.floor(i / 200))),
  })
  const marked = compareLaidOver(
    first,
    pixels((value, x, y) => (stroke(x, y) ? 0.4 * value + 150 : value)),
    1,
    0,
  )
  expect(marked.lowest).toBeLessThan(0.7)
  expect(marked.mark).toMatchObject({ on: 'second', lowestBeside: expect.closeTo(1, 3) })
  const thing = pixels((value, x, y) => ((x - 100) ** 2 + (y - 80) ** 2 < 900 ? 30 : value))
  expect(compareLaidOver(first, thing, 1, 0)).toMatchObject({ mark: null })
})

test('a chessboard shows the other picture in every second square, where it lies', () => {
  const white = { height: 100, width: 200, data: new Uint8Array(60_000).fill(255) }
  const black = { height: 100, width: 100, data: new Uint8Array(30_000) }
  // The other lies on the right half.
  const board = chessboard(white, black, Float64Array.of(1, 0, -100, 0, 1, 0, 0, 0, 1), 'first', 200)
  const at = (x: number, y: number) => board.data[(y * 200 + x) * 3]
  expect([at(30, 5), at(80, 5), at(130, 5), at(105, 5), at(180, 5)]).toEqual([255, 255, 0, 255, 0])
})

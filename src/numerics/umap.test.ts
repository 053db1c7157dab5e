import { expect, test } from 'vitest'
import { madeRows } from '../../test/support/made-rows.js'
import { neighbourGraph } from './neighbour-graph.js'
import { trustworthiness } from './trustworthiness.js'
import { mapRows, placeRows } from './umap.js'

const { rows, groups } = madeRows(300, 8, 4)
const graph = await neighbourGraph([rows], 8, 14)

test('a map is the same each time and another with another seed, tells how far it is, and its neighbours are true ones', async () => {
  const told: number[] = []
  const map = await mapRows(graph, [rows], 8, { onProgress: (done) => told.push(done) })
  expect(await mapRows(graph, [rows.subarray(0, 80), rows.subarray(80)], 8)).toEqual(map)
  expect(await mapRows(graph, [rows], 8, { seed: 1 })).not.toEqual(map)
  expect(told.at(-1)).toBe(1)
  expect(told).toEqual(told.toSorted((a, b) => a - b))
  expect(await trustworthiness(rows, 8, map, 10)).toBeGreaterThan(0.93)
})

test('rows that are placed lie among their own group, and what is there does not move', async () => {
  const known = rows.subarray(0, 250 * 8)
  const map = await mapRows(await neighbourGraph([known], 8, 14), [known], 8)
  const before = map.slice()
  const asked = await neighbourGraph([known], 8, 15, { queries: [rows.subarray(250 * 8)] })
  const placed = await placeRows(asked, map)
  expect(map).toEqual(before)
  expect(await placeRows(asked, map)).toEqual(placed)
  let own = 0
  let inGroups = 0
  for (let row = 250; row < 300; row++) {
    if (groups[row] < 0) continue
    inGroups++
    const [x, y] = [placed[2 * (row - 250)], placed[2 * (row - 250) + 1]]
    const distances = Array.from({ length: 250 }, (_, i) => Math.hypot(map[2 * i] - x, map[2 * i + 1] - y))
    if (groups[distances.indexOf(Math.min(...distances))] === groups[row]) own++
  }
  expect(own / inGroups).toBeGreaterThan(0.9)
})

test('few rows, one row, and rows that are all alike have a map', async () => {
  for (const some of [Float32Array.of(1, 0), Float32Array.of(1, 0, 0, 1), new Float32Array(40).fill(1)]) {
    const map = await mapRows(await neighbourGraph([some], 2, 14), [some], 2)
    expect(map).toHaveLength(some.length)
    expect(map.every(Number.isFinite)).toBe(true)
  }
})

test('a signal ends it, and mistakes are told', async () => {
  const signal = AbortSignal.abort(new Error('enough'))
  await expect(mapRows(graph, [rows], 8, { signal })).rejects.toThrow('enough')
  await expect(mapRows(graph, [rows], 8, { neighbours: 20 })).rejects.toThrow(/graph of 14 neighbours lacks/)
  await expect(mapRows(graph, [rows.subarray(8)], 8)).rejects.toThrow(/none of 299 rows/)
  await expect(
    placeRows(
      { count: 0, neighbours: new Int32Array(), similarities: new Float32Array() },
      new Float32Array(),
    ),
  ).rejects.toThrow(/none/)
})

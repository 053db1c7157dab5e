import fc from 'fast-check'
import { expect, test } from 'vitest'
import { hdbscan, hdbscanOnGraph } from './hdbscan.js'
import { neighbourGraph } from './neighbour-graph.js'
import { adjustedRandIndex } from './rand-index.js'
import { seededRandom } from './seeded-random.js'

/** Lies about the given angles, a few degrees around each. */
function about(angles: readonly number[], each: number): Float32Array {
  const random = seededRandom(3)
  const rows = angles.flatMap((angle) => Array.from({ length: each }, () => angle + 8 * (random() - 0.5)))
  return Float32Array.from(
    rows.flatMap((angle) => [Math.cos((angle * Math.PI) / 180), Math.sin((angle * Math.PI) / 180)]),
  )
}

test('rows about three directions are three groups, and one far from all is in none', async () => {
  const rows = Float32Array.from([...about([0, 60, 120], 20), 0, -1])
  const { labels, probabilities, count } = await hdbscan([rows.subarray(0, 30), rows.subarray(30)], 2, {
    leastRows: 5,
  })
  expect(count).toBe(3)
  expect(labels[60]).toBe(-1)
  expect(probabilities[60]).toBe(0)
  for (let group = 0; group < 3; group++)
    expect(new Set(labels.subarray(20 * group, 20 * group + 20)).size).toBe(1)
  expect(Math.max(...probabilities)).toBe(1)
})

test('groups are numbered by their size, largest first', async () => {
  const rows = Float32Array.from([...about([0], 10), ...about([90], 30)])
  const { labels } = await hdbscan([rows], 2, { leastRows: 5 })
  expect([labels[0], labels[39]]).toEqual([1, 0])
})

test('a graph that falls into parts gives nearly the groups that all distances give', async () => {
  const rows = about([0, 60, 150, 160, 250], 20)
  const graph = await neighbourGraph([rows], 2, 6)
  for (const choice of ['mass', 'leaf'] as const) {
    const options = { leastRows: 5, samples: 4, choice }
    const [exact, onGraph] = [
      await hdbscan([rows], 2, options),
      await hdbscanOnGraph(graph, [rows], 2, options),
    ]
    expect(onGraph.count).toBe(exact.count)
    expect(adjustedRandIndex(onGraph.labels, exact.labels)).toBeGreaterThan(0.95)
  }
})

test('copies of one row are a group like any other, and of few rows there is none', async () => {
  const rows = Float32Array.from([...Array<number[]>(9).fill([1, 0]).flat(), ...about([90, 200], 9)])
  const { labels, count } = await hdbscan([rows], 2, { leastRows: 5 })
  expect(count).toBe(3)
  expect(new Set(labels.subarray(0, 9)).size).toBe(1)
  expect((await hdbscan([Float32Array.of(1, 0)], 2, { leastRows: 2 })).labels).toEqual(Int32Array.of(-1))
  expect((await hdbscan([Float32Array.of(1, 0, 0, 1)], 2, { leastRows: 2 })).count).toBe(0)
})

test('law: the order of rows changes no group, however many distances are equal', async () => {
  const shapes = fc.record({
    seed: fc.integer(),
    steps: fc.integer({ min: 2, max: 12 }),
    samples: fc.integer({ min: 1, max: 5 }),
  })
  await fc.assert(
    fc.asyncProperty(shapes, async ({ seed, steps, samples }) => {
      const random = seededRandom(seed)
      const rows = Float32Array.from({ length: 40 * 3 }, () => 1 + Math.floor(random() * steps))
      const order = Array.from({ length: 40 }, (_, row) => row).sort(() => random() - 0.5)
      const turned = Float32Array.from(order.flatMap((row) => [...rows.subarray(3 * row, 3 * row + 3)]))
      for (const choice of ['mass', 'leaf'] as const) {
        const options = { leastRows: 3, samples, choice }
        const [one, other] = [await hdbscan([rows], 3, options), await hdbscan([turned], 3, options)]
        const back = new Int32Array(40)
        for (const [place, row] of order.entries()) back[row] = other.labels[place]
        expect(adjustedRandIndex(one.labels, back)).toBe(1)
      }
    }),
    { numRuns: 60 },
  )
})

test('mistakes are told', async () => {
  const rows = about([0], 5)
  await expect(hdbscan([rows], 2, { leastRows: 1 })).rejects.toThrow(/2 rows or more, not 1/)
  await expect(hdbscan([rows], 2, { leastRows: 2, samples: 0 })).rejects.toThrow(/0 rows/)
  const graph = await neighbourGraph([rows], 2, 1)
  await expect(hdbscanOnGraph(graph, [rows], 2, { leastRows: 2, samples: 4 })).rejects.toThrow(
    /graph of 1 neighbours/,
  )
  const signal = AbortSignal.abort(new Error('enough'))
  await expect(hdbscan([rows], 2, { leastRows: 2, signal })).rejects.toThrow('enough')
})

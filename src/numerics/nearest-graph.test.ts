import fc from 'fast-check'
import { expect, test } from 'vitest'
import { toHalf } from '../tensor/float16.js'
import { unitRows } from './lengths.js'
import { approximateGraph, nearestGraph } from './nearest-graph.js'
import type { StoredRows } from './nearest-rows.js'
import { plainScorer } from './row-scorer.js'
import { seededRandom } from './seeded-random.js'

const stored = (rows: Float32Array): StoredRows => ({
  dtype: 'F16',
  bytes: new Uint8Array(toHalf(rows).buffer),
})
const noise = (length: number, seed: number) => {
  const random = seededRandom(seed)
  return Float32Array.from({ length }, () => random() - 0.5)
}

test('of four rows in a plane, the nearest by hand; a tie goes to the earlier', async () => {
  const rows = Float32Array.of(1, 0, 0, 1, -1, 0, 0.5, 0.5)
  const { count, neighbours, similarities } = await nearestGraph([stored(rows)], 2, 2)
  expect(count).toBe(2)
  expect([...neighbours]).toEqual([3, 1, 3, 0, 1, 3, 0, 1])
  expect([...similarities]).toEqual([0.5, 0, 0.5, 0, 0, -0.5, 0.5, 0.5])
})

test('one row has no neighbours, and more than there are is all of them', async () => {
  expect((await nearestGraph([stored(noise(4, 1))], 4, 3)).count).toBe(0)
  expect((await approximateGraph([stored(noise(4, 1))], 4, 3)).count).toBe(0)
  const { count, neighbours } = await nearestGraph([stored(noise(12, 1))], 4, 9)
  expect(count).toBe(2)
  expect([0, 1, 2].map((row) => [...neighbours.subarray(2 * row, 2 * row + 2)].sort())).toEqual([
    [1, 2],
    [0, 2],
    [0, 1],
  ])
})

test('a graph is what looking for each row by itself finds', async () => {
  const shapes = fc.tuple(fc.integer({ min: 2, max: 120 }), fc.integer({ min: 1, max: 9 }), fc.integer())
  await fc.assert(
    fc.asyncProperty(shapes, async ([total, width, seed]) => {
      const rows = [stored(noise(total * width, seed))]
      const graph = await nearestGraph(rows, width, 5)
      const wide = noise(total * width, seed)
      const halves = toHalf(wide)
      for (let row = 0; row < total; row += 7) {
        const query = await plainScorer.nearestToEach(
          widened(halves.subarray(row * width, (row + 1) * width)),
          width,
          rows,
          6,
        )
        const others = [...query.rows].filter((other) => other !== row).slice(0, graph.count)
        expect([...graph.neighbours.subarray(row * graph.count, (row + 1) * graph.count)]).toEqual(others)
      }
    }),
    { numRuns: 20 },
  )
})

test('with all groups probed an approximate graph is the exact one; with few it says what it misses', async () => {
  const rows = [stored(unitRows(noise(1500 * 12, 3), 12))]
  const exact = await nearestGraph(rows, 12, 6)
  const { recall, ...all } = await approximateGraph(rows, 12, 6, { groups: 20, probes: 20 })
  expect(all).toEqual(exact)
  expect(recall).toBe(1)
  const few = await approximateGraph(rows, 12, 6, { groups: 40, probes: 3, sample: 1500 })
  let right = 0
  for (let i = 0; i < exact.neighbours.length; i++) {
    const from = Math.floor(i / 6) * 6
    if (exact.neighbours.subarray(from, from + 6).includes(few.neighbours[i])) right++
  }
  expect(few.recall).toBeCloseTo(right / exact.neighbours.length, 2)
  expect(few.recall).toBeGreaterThan(0.5)
  expect(few.recall).toBeLessThan(1)
  expect(await approximateGraph(rows, 12, 6, { groups: 40, probes: 3, sample: 1500 })).toEqual(few)
})

test('is given up by a signal, says how far it is, and refuses what it does not know', async () => {
  const rows = [stored(noise(2500 * 2, 3))]
  const shares: number[] = []
  await nearestGraph(rows, 2, 1, { onProgress: (share) => shares.push(share) })
  expect(shares[0]).toBeCloseTo(1 - (452 / 2500) ** 2, 9)
  expect(shares[1]).toBe(1)
  const stop = new AbortController()
  const given = approximateGraph(rows, 2, 1, {
    signal: stop.signal,
    onProgress: () => stop.abort(new Error('enough')),
  })
  await expect(given).rejects.toThrow('enough')
  await expect(nearestGraph(rows, 2, 1, { probes: 2 } as never)).rejects.toThrow(/no option probes/)
  await expect(nearestGraph(rows, 2, 0)).rejects.toThrow(/no 0 nearest/)
})

function widened(halves: Uint16Array): Float32Array {
  return Float32Array.from(halves, (bits) => {
    const exponent = (bits >> 10) & 31
    const size = exponent === 0 ? (bits & 1023) * 2 ** -24 : (1024 + (bits & 1023)) * 2 ** (exponent - 25)
    return bits & 0x8000 ? -size : size
  })
}

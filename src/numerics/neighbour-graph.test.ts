import fc from 'fast-check'
import { expect, test } from 'vitest'
import { cosineSimilarity } from './cosine-similarity.js'
import { firstNeighbours, neighbourGraph } from './neighbour-graph.js'
import { seededRandom } from './seeded-random.js'

test('each row has the most alike of all others, in their order, whatever the blocks', async () => {
  const shapes = fc.record({
    rows: fc.integer({ min: 1, max: 40 }),
    count: fc.integer({ min: 1, max: 9 }),
    cut: fc.nat(40),
    seed: fc.integer(),
  })
  await fc.assert(
    fc.asyncProperty(shapes, async ({ rows, count, cut, seed }) => {
      const random = seededRandom(seed)
      const values = Float32Array.from({ length: rows * 4 }, () => random() - 0.5)
      const at = 4 * Math.min(cut, rows)
      const graph = await neighbourGraph([values.subarray(0, at), values.subarray(at)], 4, count)
      expect(graph.count).toBe(Math.min(count, rows - 1))
      const row = (i: number) => values.subarray(4 * i, 4 * i + 4)
      for (let i = 0; i < rows; i++) {
        const alike = Array.from({ length: rows }, (_, j) => cosineSimilarity(row(i), row(j)))
        const best = alike.filter((_, j) => j !== i).sort((a, b) => b - a)
        const own = graph.neighbours.subarray(i * graph.count, (i + 1) * graph.count)
        expect(new Set(own).has(i)).toBe(false)
        expect(new Set(own).size).toBe(graph.count)
        for (const [k, j] of own.entries()) {
          expect(alike[j]).toBeCloseTo(best[k], 5)
          expect(graph.similarities[i * graph.count + k]).toBeCloseTo(alike[j], 5)
        }
      }
    }),
    { numRuns: 50 },
  )
})

test('other rows find their neighbours among these, themselves with them', async () => {
  const rows = Float32Array.of(1, 0, 0, 1, 1, 1)
  const graph = await neighbourGraph([rows], 2, 2, { queries: [Float32Array.of(0, 5, 3, 0.1)] })
  expect([...graph.neighbours]).toEqual([1, 2, 0, 2])
})

test('a graph is cut to its first neighbours', async () => {
  const graph = await neighbourGraph([Float32Array.of(1, 0, 0, 1, 1, 1)], 2, 2)
  expect([...firstNeighbours(graph, 1).neighbours]).toEqual([2, 2, 0])
  expect(firstNeighbours(graph, 5)).toBe(graph)
})

test('mistakes are told', async () => {
  await expect(neighbourGraph([], 2, 1)).rejects.toThrow(/no rows/)
  await expect(neighbourGraph([Float32Array.of(1, 0)], 2, 0)).rejects.toThrow(/0 neighbours/)
  await expect(neighbourGraph([Float32Array.of(1, 0, Number.NaN, 1)], 2, 1)).rejects.toThrow(
    /no finite similarity/,
  )
})

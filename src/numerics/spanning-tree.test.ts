import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DisjointSets } from './disjoint-sets.js'
import { unitRows } from './lengths.js'
import { neighbourGraph } from './neighbour-graph.js'
import { plainProducts } from './products.js'
import { seededRandom } from './seeded-random.js'
import { sortedOrder } from './sorted-order.js'
import { coreDistances, distanceOf, joinSets } from './spanning-tree.js'

/** Grows a tree row by row (Prim 1957), from all distances. */
function lengthsByPrim(units: Float32Array, width: number, cores: Float32Array): number[] {
  const total = cores.length
  const reach = (a: number, b: number) => {
    let cosine = 0
    for (let i = 0; i < width; i++) cosine += units[a * width + i] * units[b * width + i]
    return Math.max(cores[a], cores[b], distanceOf(Math.fround(cosine)))
  }
  const nearest = Array.from({ length: total }, (_, row) => reach(0, row))
  const left = new Set(Array.from({ length: total - 1 }, (_, i) => i + 1))
  const lengths: number[] = []
  while (left.size > 0) {
    const [next = 0] = [...left].sort((a, b) => nearest[a] - nearest[b])
    lengths.push(nearest[next])
    left.delete(next)
    for (const row of left) nearest[row] = Math.min(nearest[row], reach(next, row))
  }
  return lengths
}

test('the tree is as short as that which is grown row by row, with a graph and without, and however many rows are alike', async () => {
  const shapes = fc.record({
    rows: fc.integer({ min: 2, max: 60 }),
    samples: fc.integer({ min: 1, max: 6 }),
    neighbours: fc.integer({ min: 1, max: 8 }),
    steps: fc.integer({ min: 1, max: 50 }),
    seed: fc.integer(),
  })
  await fc.assert(
    fc.asyncProperty(shapes, async ({ rows, samples, neighbours, steps, seed }) => {
      const random = seededRandom(seed)
      const values = Float32Array.from({ length: rows * 3 }, () => Math.round(random() * steps) - steps / 2)
      const units = unitRows(values, 3)
      const graph = await neighbourGraph([units], 3, Math.max(neighbours, samples - 1))
      const cores = coreDistances(graph, rows, samples)
      const expected = lengthsByPrim(units, 3, cores).sort((a, b) => a - b)
      for (const known of [undefined, graph]) {
        const work = { products: plainProducts, signal: undefined }
        const { lengths } = await joinSets({ units, width: 3, cores }, new DisjointSets(rows), work, known)
        const sorted = lengths.toSorted((a, b) => a - b)
        expect(sorted).toHaveLength(rows - 1)
        for (const [i, length] of sorted.entries()) expect(length).toBeCloseTo(expected[i], 5)
      }
    }),
    { numRuns: 100 },
  )
})

test('numbers are put in order as comparing them would, and equal ones stay in theirs', () => {
  fc.assert(
    fc.property(fc.float32Array({ min: 0, noNaN: true, maxLength: 200 }), (drawn) => {
      // A zero with a sign is no length.
      const values = drawn.map(Math.abs)
      const expected = Array.from(values.keys()).sort((a, b) =>
        values[a] < values[b] ? -1 : values[a] > values[b] ? 1 : a - b,
      )
      expect([...sortedOrder(values)]).toEqual(expected)
    }),
  )
})

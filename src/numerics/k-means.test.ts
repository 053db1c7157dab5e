import fc from 'fast-check'
import { expect, test } from 'vitest'
import { sphericalKMeans } from './k-means.js'
import { seededRandom } from './seeded-random.js'

test('rows of three directions fall into three groups, whatever their lengths and blocks', async () => {
  const rows = Float32Array.of(1, 0, 0, 0, 5, 0, 0, 0, 2, 7, 0.1, 0, 0, 3, 0.1, 0.1, 0, 9)
  const { labels, count, centres } = await sphericalKMeans([rows.subarray(0, 9), rows.subarray(9)], 3, 3)
  expect(count).toBe(3)
  expect([labels[3], labels[4], labels[5]]).toEqual([labels[0], labels[1], labels[2]])
  expect(new Set(labels.subarray(0, 3)).size).toBe(3)
  for (let k = 0; k < 3; k++) expect(Math.hypot(...centres.subarray(3 * k, 3 * k + 3))).toBeCloseTo(1, 6)
})

test('the objective never rises, a seed gives the same groups again, and no group is empty', async () => {
  const shapes = fc.record({
    rows: fc.integer({ min: 1, max: 80 }),
    count: fc.integer({ min: 1, max: 9 }),
    seed: fc.integer(),
  })
  await fc.assert(
    fc.asyncProperty(shapes, async ({ rows, count, seed }) => {
      const random = seededRandom(seed)
      const values = Float32Array.from({ length: rows * 5 }, () => random() - 0.5)
      const found = await sphericalKMeans([values], 5, count, { seed })
      for (let i = 1; i < found.objective.length; i++)
        expect(found.objective[i]).toBeLessThanOrEqual(found.objective[i - 1] + 1e-6)
      expect(await sphericalKMeans([values], 5, count, { seed })).toEqual(found)
      expect(new Set(found.labels)).toEqual(new Set(Array.from({ length: found.count }, (_, k) => k)))
    }),
    { numRuns: 50 },
  )
})

test('rows that are alike are one group, and rows of zeros break nothing', async () => {
  expect((await sphericalKMeans([new Float32Array(12).fill(2)], 3, 3)).count).toBe(1)
  const { labels } = await sphericalKMeans([new Float32Array(12)], 3, 2)
  expect([...labels]).toEqual([0, 0, 0, 0])
})

test('mistakes are told', async () => {
  await expect(sphericalKMeans([], 3, 2)).rejects.toThrow(/no rows/)
  await expect(sphericalKMeans([new Float32Array(3)], 3, 0)).rejects.toThrow(/0 groups/)
})

import { expect, test } from 'vitest'
import { unitRows } from './lengths.js'
import { seededRandom } from './seeded-random.js'
import { similarPairs } from './similar-pairs.js'

function made(count: number, width: number): Float32Array {
  const random = seededRandom(4)
  return unitRows(Float32Array.from({ length: count * width }, () => random() - 0.5), width)
}

test('gives the nearest few of each row, each pair once, as comparing all with all does', async () => {
  const [count, width, most] = [60, 8, 3]
  const rows = made(count, width)
  const cosine = (a: number, b: number) => {
    let sum = 0
    for (let i = 0; i < width; i++) sum += (rows[a * width + i] ?? 0) * (rows[b * width + i] ?? 0)
    return sum
  }
  const expected = new Set<string>()
  for (let a = 0; a < count; a++) {
    const others = Array.from({ length: count }, (_, b) => b).filter((b) => b !== a && cosine(a, b) >= 0.2)
    for (const b of others.sort((x, y) => cosine(a, y) - cosine(a, x)).slice(0, most))
      expected.add(`${Math.min(a, b)} ${Math.max(a, b)}`)
  }
  const found = await similarPairs(rows, width, { most, minSimilarity: 0.2 })
  expect(new Set(found.map(({ first, second }) => `${first} ${second}`))).toEqual(expected)
  expect(found).toHaveLength(expected.size)
  for (const [at, { first, second, similarity }] of found.entries()) {
    expect(similarity).toBeCloseTo(cosine(first, second), 5)
    expect(similarity).toBeLessThanOrEqual(found[at - 1]?.similarity ?? 1)
  }
})

test('a row is no partner of its own, equal rows are, and of equal partners the first ones count', async () => {
  const rows = Float32Array.of(1, 0, 1, 0, 1, 0, 0, 1)
  expect(await similarPairs(rows, 2, { most: 1, minSimilarity: 0.5 })).toEqual([
    { first: 0, second: 1, similarity: 1 },
    { first: 0, second: 2, similarity: 1 },
  ])
})

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { joinSimilar, normalisedCut } from './normalised-cut.js'
import { seededRandom } from './seeded-random.js'

/** Multiplies (D - W) y and D y, so that an eigenvector can be tried by its definition. */
function sides(joined: Uint8Array, weak: number, y: Float64Array) {
  const count = y.length
  const weight = (i: number, j: number) => (joined[i * count + j] === 1 ? 1 : weak)
  return Array.from(y, (_, i) => {
    let [degree, sum] = [0, 0]
    for (let j = 0; j < count; j++) {
      degree += weight(i, j)
      sum += weight(i, j) * (y[j] ?? 0)
    }
    return { left: degree * (y[i] ?? 0) - sum, right: degree * (y[i] ?? 0), degree }
  })
}

function randomGraph(count: number, share: number, seed: number): Uint8Array {
  const random = seededRandom(seed)
  const joined = new Uint8Array(count * count)
  for (let i = 0; i < count; i++) {
    joined[i * count + i] = 1
    for (let j = i + 1; j < count; j++)
      if (random() < share) joined[i * count + j] = joined[j * count + i] = 1
  }
  return joined
}

test('what is found is an eigenvector of the normalised Laplacian, at right angles to the constant one', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 40 }),
      fc.constantFrom(0.1, 0.4, 0.8),
      fc.nat(1e6),
      (count, share, seed) => {
        const joined = randomGraph(count, share, seed)
        const { vector, value } = normalisedCut({ joined, weak: 1e-3 }, count)
        const scale = Math.sqrt(vector.reduce((sum, one) => sum + one * one, 0))
        const found = sides(joined, 1e-3, vector)
        for (const { left, right } of found)
          expect(Math.abs(left - value * right)).toBeLessThan(1e-5 * scale * count)
        const along = found.reduce((sum, { right }) => sum + right, 0)
        expect(Math.abs(along)).toBeLessThan(1e-6 * scale * count)
      },
    ),
  )
})

test('no other direction has a smaller quotient', () => {
  const count = 24
  const joined = randomGraph(count, 0.3, 9)
  const { value } = normalisedCut({ joined, weak: 1e-3 }, count)
  const random = seededRandom(4)
  for (let time = 0; time < 200; time++) {
    const y = Float64Array.from({ length: count }, () => random() - 0.5)
    const degrees = sides(joined, 1e-3, y).map(({ degree }) => degree)
    const mean =
      degrees.reduce((sum, degree, i) => sum + degree * (y[i] ?? 0), 0) /
      degrees.reduce((sum, one) => sum + one, 0)
    for (let i = 0; i < count; i++) y[i] = (y[i] ?? 0) - mean
    const found = sides(joined, 1e-3, y)
    const [above, below] = [0, 1].map((part) =>
      found.reduce((sum, { left, right }, i) => sum + (y[i] ?? 0) * (part === 0 ? left : right), 0),
    )
    expect((above ?? 0) / (below ?? 1)).toBeGreaterThanOrEqual(value - 1e-9)
  }
})

test('two groups that hardly hang together are parted, the same way each time', () => {
  const count = 30
  const joined = Uint8Array.from({ length: count * count }, (_, at) =>
    Math.floor(at / count) < 12 === at % count < 12 ? 1 : 0,
  )
  const cut = normalisedCut({ joined, weak: 1e-5 }, count)
  const signs = [...cut.vector].map(Math.sign)
  expect(new Set(signs.slice(0, 12)).size).toBe(1)
  expect(new Set(signs.slice(12)).size).toBe(1)
  expect(signs[0]).not.toBe(signs[12])
  expect(cut.value).toBeLessThan(1e-4)
  expect(normalisedCut({ joined, weak: 1e-5 }, count)).toEqual(cut)
})

test('rows of length 1 are joined above the bound, and with themselves', async () => {
  const units = Float32Array.of(1, 0, 0.8, 0.6, 0, 1)
  expect([...(await joinSimilar(units, 2, 0.7))]).toEqual([1, 1, 0, 1, 1, 0, 0, 0, 1])
})

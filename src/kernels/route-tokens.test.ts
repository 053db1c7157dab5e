import fc from 'fast-check'
import { expect, test } from 'vitest'
import { routeByExperts, routeBySigmoid, routeBySoftmax } from './route-tokens.js'

const [half, quarter] = [Math.log(2), Math.log(1)]

test('by sigmoids, a bias changes who is chosen and not the weights', () => {
  // The sigmoids are 1/2, 2/3 and 3/4.
  const scores = Float32Array.of(0, Math.log(2), Math.log(3))
  const out = new Float32Array(3)
  routeBySigmoid(scores, Float32Array.of(1, 0, 0), 2, out)
  expect([...out]).toEqual([expect.closeTo(0.4, 6), 0, expect.closeTo(0.6, 6)])
})

test('by softmax, all first choices come before the second ones, and who finds no room is dropped', () => {
  // Each token has 2/3 for one and 1/3 for the other of two experts.
  const scores = Float32Array.of(half, quarter, half, quarter, quarter, half)
  const out = new Float32Array(6)
  routeBySoftmax(scores, 2, 2, 2, out)
  const [more, less] = [expect.closeTo(2 / 3, 6), expect.closeTo(1 / 3, 6)]
  // Expert 0 is full after the first choices; expert 1 has one place left, for the first of the second choices.
  expect([...out]).toEqual([more, less, more, 0, 0, more])
})

test('by experts, each takes the tokens that weigh most for it, of equal ones the first', () => {
  const scores = Float32Array.of(quarter, quarter, half, quarter, half, quarter)
  const out = new Float32Array(6)
  routeByExperts(scores, 2, 1, out)
  expect([...out]).toEqual([0, 0.5, expect.closeTo(2 / 3, 6), 0, 0, 0])
})

test('a score that is no number leaves none behind', () => {
  for (const route of [
    (scores: Float32Array, out: Float32Array) => routeBySigmoid(scores, new Float32Array(2), 1, out),
    (scores: Float32Array, out: Float32Array) => routeBySoftmax(scores, 2, 1, 1, out),
    (scores: Float32Array, out: Float32Array) => routeByExperts(scores, 2, 1, out),
  ]) {
    const out = new Float32Array(2)
    route(Float32Array.of(Number.NaN, 1), out)
    expect(out.some(Number.isNaN)).toBe(true)
  }
})

test('each token has as many experts as it chooses, each expert no more tokens than it has room for', () => {
  const rows = fc.integer({ min: 1, max: 12 })
  const experts = fc.integer({ min: 1, max: 6 })
  const score = fc.float({ min: -8, max: 8, noNaN: true })
  fc.assert(
    fc.property(
      rows,
      experts,
      fc.nat(20),
      fc.array(score, { minLength: 72, maxLength: 72 }),
      (T, E, n, all) => {
        const scores = Float32Array.from(all.slice(0, T * E))
        const choices = 1 + (n % E)
        const capacity = 1 + (n % T)
        const made = (fill: (out: Float32Array) => void) => {
          const out = new Float32Array(T * E)
          fill(out)
          const of = (count: number, at: (i: number, j: number) => number, others: number) =>
            Array.from({ length: count }, (_, i) =>
              Array.from({ length: others }, (_, j) => out[at(i, j)] ?? 0).filter((weight) => weight > 0),
            )
          return { tokens: of(T, (t, e) => t * E + e, E), experts: of(E, (e, t) => t * E + e, T) }
        }
        for (const own of made((out) => routeBySigmoid(scores, new Float32Array(E), choices, out)).tokens) {
          expect(own).toHaveLength(choices)
          expect(own.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 5)
        }
        const limited = made((out) => routeBySoftmax(scores, E, choices, capacity, out))
        for (const own of limited.experts) expect(own.length).toBeLessThanOrEqual(capacity)
        for (const own of limited.tokens) expect(own.length).toBeLessThanOrEqual(choices)
        const taken = made((out) => routeByExperts(scores, E, capacity, out))
        for (const own of taken.experts) expect(own).toHaveLength(capacity)
      },
    ),
  )
})

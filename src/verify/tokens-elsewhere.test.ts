import { expect, test } from 'vitest'
import { type Router, tokensElsewhere } from './tokens-elsewhere.js'

/** Two tokens of two numbers go to one of three experts each; a special token in front of them goes nowhere. */
const router: Router = {
  route: {
    op: 'route',
    input: 'x',
    output: 'router',
    gate: 'gate',
    firstRow: 1,
    choice: { kind: 'sigmoid', choices: 1, bias: 'bias' },
  },
  gate: Float32Array.of(1, 0, 0, 1, -1, -1),
  bias: Float32Array.of(0, 0, 0),
  rows: 3,
  experts: 3,
}
const input = Float32Array.of(9, 9, 1, 1.1, 0, 3)
const sigmoid = (score: number) => 1 / (1 + Math.exp(-score))
/** Of three rows, as the engine has it, and of two, as a golden has it. */
const routing = (...experts: number[]) =>
  Float32Array.from(experts.flatMap((e) => [0, 1, 2].map((i) => (i === e ? 1 : 0))))

test('a token that went where the golden sends it is not elsewhere', () => {
  const found = tokensElsewhere(router, input, routing(-1, 1, 1), routing(1, 1))
  expect(found).toEqual({ rows: new Set(), farthest: 0 })
})

test('of a token that went elsewhere the difference of the two shares is told', () => {
  const { rows, farthest } = tokensElsewhere(router, input, routing(-1, 0, 1), routing(1, 1))
  expect([...rows]).toEqual([1])
  expect(farthest).toBeCloseTo(sigmoid(1.1) - sigmoid(1), 6)
})

test('what is added for the choice counts', () => {
  const biased = { ...router, bias: Float32Array.of(0.25, 0, 0) }
  const { farthest } = tokensElsewhere(biased, input, routing(-1, 0, 1), routing(1, 1))
  expect(farthest).toBeCloseTo(0.25 + sigmoid(1) - sigmoid(1.1), 6)
})

test('the farthest of all counts, and of experts that choose tokens the share of each token', () => {
  expect(tokensElsewhere(router, input, routing(-1, 0, 0), routing(1, 1)).farthest).toBeCloseTo(
    sigmoid(3) - sigmoid(0),
    6,
  )
  const byExperts: Router = {
    ...router,
    route: { ...router.route, choice: { kind: 'byExperts', capacity: 1 } },
    bias: null,
  }
  const { rows, farthest } = tokensElsewhere(byExperts, input, routing(-1, -1, 1), routing(1, -1))
  const share = (a: number, b: number) => Math.exp(b) / (Math.exp(a) + Math.exp(b) + Math.exp(-a - b))
  expect([...rows]).toEqual([1, 2])
  expect(farthest).toBeCloseTo(share(0, 3) - share(1, 1.1), 6)
})

test('an expert that is left out for no other is no undecided choice', () => {
  const { farthest } = tokensElsewhere(router, input, routing(-1, -1, 1), routing(1, 1))
  expect(farthest).toBe(Number.POSITIVE_INFINITY)
})

import { describe, expect, test } from 'vitest'
import { ACTIVATIONS } from './activation.js'
import { erf } from './erf.js'

describe('erf', () => {
  // The values are those of Abramowitz and Stegun, table 7.1, and of mpmath for the larger arguments.
  test.each([
    [0, 0],
    [0.5, 0.5204998778130465],
    [1, 0.8427007929497149],
    [2, 0.9953222650189527],
    [3.5, 0.9999992569016277],
    [7, 1],
  ])('of %d is %d', (x, expected) => {
    expect(erf(x)).toBeCloseTo(expected, 14)
    expect(erf(-x)).toBeCloseTo(-expected, 14)
  })

  test('keeps NaN', () => expect(erf(Number.NaN)).toBeNaN())
})

describe('activations at 1 and -1, as PyTorch gives them', () => {
  test.each([
    ['gelu', 0.8413447460685429, -0.15865525393145707],
    ['gelu_tanh', 0.8411919906082768, -0.15880800939172324],
    ['quick_gelu', 0.8457957659328212, -0.1542042340671788],
    ['silu', 0.7310585786300049, -0.2689414213699951],
    ['mish', 0.8650983882673103, -0.30340146137410895],
    ['elu', 1, -0.6321205588285577],
    ['celu', 1, -0.6321205588285577],
    ['selu', 1.0507009873554805, -1.1113307378125628],
    ['leaky_relu', 1, -0.01],
    ['relu', 1, 0],
    ['relu6', 1, 0],
    ['hard_swish', 2 / 3, -1 / 3],
    ['hard_sigmoid', 2 / 3, 1 / 3],
    ['hard_tanh', 1, -1],
    ['sigmoid', 0.7310585786300049, 0.2689414213699951],
    ['tanh', 0.7615941559557649, -0.7615941559557649],
    ['identity', 1, -1],
  ] as const)('%s', (kind, plus, minus) => {
    expect(ACTIVATIONS[kind](1)).toBeCloseTo(plus, 12)
    expect(ACTIVATIONS[kind](-1)).toBeCloseTo(minus, 12)
  })

  test('far out none overflows', () => {
    for (const f of Object.values(ACTIVATIONS)) {
      expect(Number.isFinite(f(1000))).toBe(true)
      expect(Number.isFinite(f(-1000))).toBe(true)
    }
  })
})

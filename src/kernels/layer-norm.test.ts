import { expect, test } from 'vitest'
import { layerNorm } from './layer-norm.js'

const f32 = (...values: number[]) => Float32Array.from(values)
const run = (x: Float32Array, weight = f32(1, 1), bias: Float32Array | null = f32(0, 0), epsilon = 0) => {
  const out = new Float32Array(x.length)
  layerNorm(x, weight, bias, epsilon, out)
  return Array.from(out)
}

test('centres and scales by hand: [1, 3] has mean 2 and variance 1', () => {
  expect(run(f32(1, 3))).toEqual([-1, 1])
  expect(run(f32(1, 3), f32(10, 100), f32(0.5, 0))).toEqual([-9.5, 100])
  expect(run(f32(1, 3), f32(10, 100), null)).toEqual([-10, 100])
})

test('each token is normalised on its own', () => {
  expect(run(f32(1, 3, 100, 300))).toEqual([-1, 1, -1, 1])
})

test('a constant token becomes the bias, not NaN', () => {
  expect(run(f32(7, 7), f32(1, 1), f32(0.25, -0.25), 1e-6)).toEqual([0.25, -0.25])
})

test('epsilon stands inside the root: variance 1 and epsilon 3 halve the result', () => {
  expect(run(f32(1, 3), f32(1, 1), f32(0, 0), 3)).toEqual([-0.5, 0.5])
})

test('may write over its input', () => {
  const x = f32(1, 3)
  layerNorm(x, f32(1, 1), f32(0, 0), 0, x)
  expect(Array.from(x)).toEqual([-1, 1])
})

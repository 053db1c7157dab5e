import { expect, test } from 'vitest'
import { foldIntoBias, foldIntoWeight } from './fold-batch-norm.js'

const norm = {
  gain: Float32Array.of(2, 6),
  shift: Float32Array.of(10, 20),
  mean: Float32Array.of(1, -1),
  variance: Float32Array.of(3, 8),
  epsilon: 1,
}

test('each output channel is scaled by its own gain over its own deviation: 2 / sqrt(3 + 1) is 1, 6 / sqrt(8 + 1) is 2', () => {
  expect(Array.from(foldIntoWeight(Float32Array.of(1, 2, 3, 4), norm))).toEqual([1, 2, 6, 8])
  expect(Array.from(foldIntoBias(Float32Array.of(5, 5), norm))).toEqual([14, 32])
})

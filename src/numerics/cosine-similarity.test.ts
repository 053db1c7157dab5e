import { expect, test } from 'vitest'
import { cosineSimilarity } from './cosine-similarity.js'

test('same direction 1, opposite -1, right angle 0, whatever the length', () => {
  expect(cosineSimilarity(Float32Array.of(1, 2), Float32Array.of(10, 20))).toBeCloseTo(1, 12)
  expect(cosineSimilarity(Float32Array.of(1, 2), Float32Array.of(-1, -2))).toBeCloseTo(-1, 12)
  expect(cosineSimilarity(Float32Array.of(1, 0), Float32Array.of(0, 5))).toBe(0)
})

test('a zero vector is like nothing', () =>
  expect(cosineSimilarity(new Float32Array(2), Float32Array.of(1, 1))).toBe(0))

test('vectors of different lengths are a mistake', () => {
  expect(() => cosineSimilarity(new Float32Array(2), new Float32Array(3))).toThrow(/2 and 3/)
})

import { expect, test } from 'vitest'
import { attention } from './attention.js'

const columns = (data: number[], rows: number, offset = 0) => ({
  data: Float32Array.from(data),
  rows,
  stride: data.length / rows,
  offset,
})

test('equal scores give the mean of the values', () => {
  const out = new Float32Array(2)
  attention(columns([0, 0], 1), columns([1, 2, 3, 4], 2), columns([1, 10, 3, 30], 2), 1, 2, 1, out)
  expect(Array.from(out)).toEqual([2, 20])
})

test('a key far ahead takes all, also where the exponential would overflow', () => {
  const out = new Float32Array(2)
  attention(columns([1000, 0], 1), columns([1000, 0, -1000, 0], 2), columns([1, 2, 3, 4], 2), 1, 2, 1, out)
  expect(Array.from(out)).toEqual([1, 2])
})

test('heads do not see each other: each has its own columns', () => {
  const out = new Float32Array(2)
  attention(columns([100, 0], 1), columns([1, 0, 0, 0], 2), columns([1, 10, 3, 30], 2), 2, 1, 1, out)
  expect(out[0]).toBeCloseTo(1, 5)
  expect(out[1]).toBe(20)
})

test('q, k and v may lie side by side in one matrix', () => {
  const qkv = [0, 1, 5, 0, 2, 7]
  const part = (offset: number) => columns(qkv, 2, offset)
  const out = new Float32Array(2)
  attention(part(0), part(1), part(2), 1, 1, 1, out)
  expect(Array.from(out)).toEqual([6, 6])
})

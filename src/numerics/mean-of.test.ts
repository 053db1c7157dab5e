import { expect, test } from 'vitest'
import { meanOf } from './mean-of.js'

test('each place has its own mean', () => {
  expect([...meanOf([Float32Array.of(1, 10), Float32Array.of(3, 30)])]).toEqual([2, 20])
})

test('arrays of different lengths have none', () => {
  expect(() => meanOf([new Float32Array(2), new Float32Array(3)])).toThrow(/2 and 3 numbers/)
})

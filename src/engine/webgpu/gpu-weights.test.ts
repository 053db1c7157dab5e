import { expect, test } from 'vitest'
import { isLostInHalves } from './gpu-weights.js'

const row = (largest: number) => Float32Array.from([largest, ...new Array<number>(99).fill(0.5)])

test('a row is lost whose largest value is rounded by more than the others amount to', () => {
  // Halves beside 2048 stand 2 apart, those below stand 1 apart.
  expect(isLostInHalves(row(2049), 1, 100)).toBe(true)
  expect(isLostInHalves(row(2047), 1, 100)).toBe(false)
})

test('any row counts, and zeros do not', () => {
  expect(isLostInHalves(Float32Array.from([...row(1), ...row(70_000)]), 2, 100)).toBe(true)
  expect(isLostInHalves(Float32Array.from([70_000, ...new Array<number>(99).fill(0)]), 1, 100)).toBe(false)
  expect(isLostInHalves(new Float32Array(100), 1, 100)).toBe(false)
})

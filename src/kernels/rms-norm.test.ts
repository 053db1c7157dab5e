import { expect, test } from 'vitest'
import { rmsNorm } from './rms-norm.js'

test('[3, 4] has the mean square 12.5; nothing is subtracted', () => {
  const out = new Float32Array(2)
  rmsNorm(Float32Array.of(3, 4), Float32Array.of(1, 10), 0, out)
  expect(out[0]).toBeCloseTo(3 / Math.sqrt(12.5), 6)
  expect(out[1]).toBeCloseTo(40 / Math.sqrt(12.5), 5)
})

test('a row of zeros stays zeros', () => {
  const out = new Float32Array(2)
  rmsNorm(new Float32Array(2), Float32Array.of(1, 1), 1e-6, out)
  expect(Array.from(out)).toEqual([0, 0])
})

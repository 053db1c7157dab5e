import fc from 'fast-check'
import { expect, test } from 'vitest'
import { recommend } from './recommend.js'
import type { MeasuredRow, ModelRow } from './verified-model.js'

const row = (more: Partial<MeasuredRow>): MeasuredRow => ({
  kind: 'measured',
  engine: 'native',
  precision: 'float32',
  description: 'avx2, 2 threads',
  isTruth: false,
  photos: 1,
  embeddingCosine: 1,
  tokensCosine: 1,
  meanPatchCosine: 1,
  worstPatchCosine: 1,
  relativeError: 0,
  seconds: 1,
  memory: { weights: 1, activations: 1 },
  promise: 0.9,
  isKept: true,
  ...more,
})

test('what breaks its promise is never recommended, however fast, nor is what was refused', () => {
  const refused: ModelRow = { kind: 'refused', engine: 'webgpu', precision: 'float16', reason: 'no GPU' }
  const broken = row({ precision: 'int8', seconds: 0.1, isKept: false })
  const kept = row({ precision: 'bfloat16', seconds: 2 })
  expect(recommend([refused, broken, kept])).toBe(kept)
  expect(recommend([refused, broken])).toBeNull()
})

test('of those that are as fast the one that promises most is recommended, and never one that is slower by more', () => {
  const seconds = fc.double({ min: 0.01, max: 10, noNaN: true })
  const rows = fc.array(fc.record({ seconds, promise: fc.constantFrom(0.995, 0.9995, 0.9999999) }), {
    minLength: 1,
  })
  fc.assert(
    fc.property(rows, (kept) => {
      const found = recommend(kept.map(row))
      const fastest = Math.min(...kept.map((one) => one.seconds))
      expect(found?.seconds).toBeLessThanOrEqual(1.05 * fastest)
      for (const one of kept)
        if (one.promise > (found?.promise ?? 1)) expect(one.seconds).toBeGreaterThan(1.05 * fastest)
    }),
  )
})

import { expect, test } from 'vitest'
import { compareFeatures } from './compare-features.js'

/** Has one token that is no patch, then two patches, of two numbers each. */
const features = (...tokens: number[]) => ({
  embedding: Float32Array.from(tokens.slice(0, 2)),
  tokens: Float32Array.from(tokens),
  patches: 2,
  count: 3,
})

test('each figure is the worst of all photos, and patches are compared one by one', () => {
  const truth = [features(1, 0, 1, 0, 1, 0), features(0, 2, 0, 2, 0, 2)]
  expect(compareFeatures(truth, truth)).toEqual({
    embeddingCosine: 1,
    tokensCosine: 1,
    meanPatchCosine: 1,
    worstPatchCosine: 1,
    relativeError: 0,
  })
  // Of the second photo the embedding keeps its direction, and one patch is turned by a right angle.
  const found = compareFeatures([truth[0] ?? features(), features(0, 2, 0, 2, 2, 0)], truth)
  expect(found.embeddingCosine).toBe(1)
  expect(found.worstPatchCosine).toBe(0)
  expect(found.meanPatchCosine).toBe(0.75)
  expect(found.tokensCosine).toBeCloseTo(2 / 3, 12)
  expect(found.relativeError).toBeCloseTo(Math.sqrt(8 / 12), 6)
})

test('photos that were not run are left out of the comparison', () => {
  const truth = [features(1, 0, 1, 0, 1, 0), features(0, 2, 0, 2, 0, 2)]
  expect(compareFeatures(truth.slice(0, 1), truth).worstPatchCosine).toBe(1)
})

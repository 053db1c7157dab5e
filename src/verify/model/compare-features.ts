/** Compares what two engines give of the same photos. */
import { cosineSimilarity } from '../../numerics/cosine-similarity.js'
import type { PhotoFeatures } from './run-photos.js'
import type { MeasuredRow } from './verified-model.js'

export type Nearness = Pick<
  MeasuredRow,
  'embeddingCosine' | 'tokensCosine' | 'meanPatchCosine' | 'worstPatchCosine' | 'relativeError'
>

/** Takes the worst of all photos; those that were left out count nothing. */
export function compareFeatures(found: readonly PhotoFeatures[], truth: readonly PhotoFeatures[]): Nearness {
  const pairs = found.flatMap((features, index) => {
    const right = truth[index]
    return right === undefined ? [] : [[features, right] as const]
  })
  const lowest = (cosineOf: (a: PhotoFeatures, b: PhotoFeatures) => number) =>
    Math.min(...pairs.map(([a, b]) => cosineOf(a, b)))
  const patches = pairs.flatMap(([a, b]) => patchCosines(a, b))
  return {
    embeddingCosine: lowest((a, b) => cosineSimilarity(a.embedding, b.embedding)),
    tokensCosine: lowest((a, b) => cosineSimilarity(a.tokens, b.tokens)),
    meanPatchCosine: patches.reduce((sum, cosine) => sum + cosine, 0) / patches.length,
    worstPatchCosine: patches.reduce((least, cosine) => Math.min(least, cosine), 1),
    relativeError: Math.max(...pairs.map(([a, b]) => relativeError(a.tokens, b.tokens))),
  }
}

function patchCosines(a: PhotoFeatures, b: PhotoFeatures): readonly number[] {
  const width = a.tokens.length / a.count
  return Array.from({ length: a.patches }, (_, patch) => {
    const from = (a.count - a.patches + patch) * width
    return cosineSimilarity(a.tokens.subarray(from, from + width), b.tokens.subarray(from, from + width))
  })
}

function relativeError(found: Float32Array, truth: Float32Array): number {
  const square = (values: Float32Array) => values.reduce((sum, value) => sum + value * value, 0)
  const difference = found.map((value, at) => value - (truth[at] ?? Number.NaN))
  return Math.sqrt(square(difference) / square(truth))
}

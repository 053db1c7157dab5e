/**
 * How an engine's result is compared with a golden: in float32 and float64 by the tolerance that came with each tensor; in a narrower precision by
 * what that promises, a lowest cosine for the embedding and for the tokens of each image, taken together. Other tensors are then not compared.
 */
import type { Precision } from '../engine/engine.js'
import { cosineSimilarity } from '../numerics/cosine-similarity.js'
import { type Comparison, compare, type GoldenCase } from './case.js'

const LOWEST_COSINE: Readonly<Partial<Record<Precision, number>>> = {
  high: 0.9999999,
  bfloat16: 0.9995,
  float16: 0.99999,
  int8: 0.995,
}
const PROMISED = /^(out|embedding|tokens|forward_features|registers|blocks\.(class_token|first_patch))$/

export function judge(
  precision: Precision,
  golden: GoldenCase,
  tensor: string,
  actual: Float32Array | undefined,
  expected: Float32Array | undefined,
  note?: string,
): Comparison | null {
  const promise = LOWEST_COSINE[precision]
  if (promise === undefined) return compare(golden, tensor, actual, expected, note)
  if (!PROMISED.test(tensor)) return null
  const comparable = actual !== undefined && expected !== undefined && actual.length === expected.length
  const error = comparable ? 1 - lowestCosine(golden, tensor, actual, expected) : Number.POSITIVE_INFINITY
  const tolerance = 1 - promise
  return {
    id: golden.id,
    kind: golden.kind,
    tensor,
    error,
    tolerance,
    passed: error <= tolerance,
    note: `1 - cosine of the farthest image${note === undefined ? '' : `, ${note}`}`,
  }
}

function lowestCosine(
  golden: GoldenCase,
  tensor: string,
  actual: Float32Array,
  expected: Float32Array,
): number {
  const [images = 1] = golden.tensors?.[tensor]?.shape ?? []
  const length = expected.length / images
  let lowest = expected.length === 0 ? Number.NaN : 1
  for (let from = 0; from < expected.length; from += length) {
    const part = [actual, expected].map((values) => values.subarray(from, from + length))
    const cosine = cosineSimilarity(part[0], part[1])
    // Also where it is NaN.
    if (!(cosine >= lowest)) lowest = cosine
  }
  return lowest
}

/**
 * Compares an engine's result with a golden: in float32 and float64 by the tolerance that came with each tensor; in a narrower precision by
 * what that promises, a lowest cosine for the embedding and for the tokens of each image, taken together. Other tensors are then not compared.
 */
import type { Precision } from '../engine/engine.js'
import { cosineSimilarity } from '../numerics/cosine-similarity.js'
import { largestDifference } from '../numerics/largest-difference.js'
import type { Comparison, GoldenCase } from './case.js'
import type { Elsewhere } from './tokens-elsewhere.js'

const LOWEST_COSINE: Readonly<Partial<Record<Precision, number>>> = {
  high: 0.9999999,
  bfloat16: 0.9995,
  float16: 0.99999,
  int8: 0.995,
}
/** A model that no golden is of has no tolerances: float32 is then held to this, which is far outside its rounding. */
const LOWEST_COSINE_OF_FLOAT32 = 0.9999999
const PROMISED =
  /^(out|embedding|tokens(\.others)?|forward_features|registers|blocks\.(class_token|first_patch))$/

/** Tells precisions that are held to a cosine from those that are held to the goldens' tolerances. */
export function isNarrow(precision: Precision): boolean {
  return LOWEST_COSINE[precision] !== undefined
}

/** Gives the lowest cosine, with the truth, that a precision promises for an embedding and for the tokens of an image. */
export function promisedCosine(precision: Precision): number {
  return precision === 'float64' ? 1 : (LOWEST_COSINE[precision] ?? LOWEST_COSINE_OF_FLOAT32)
}

/**
 * Gives how far apart the shares of two experts may be and a narrow precision still take the one for the other; null where choices are compared by the golden's tolerance.
 * It is the angle that the promised cosine leaves a token. Shares of the golden networks move by half of it at most: 0.015 of 0.032 in bfloat16, 0.034 of 0.1 in int8.
 */
export function undecidedWithin(precision: Precision): number | null {
  const promise = LOWEST_COSINE[precision]
  return promise === undefined ? null : Math.sqrt(2 * (1 - promise))
}

/** Judges that tokens went to other experts only where they were undecided within what the precision may move. */
export function judgeChoice(
  precision: Precision,
  golden: GoldenCase,
  router: string,
  { rows, farthest }: Elsewhere,
  note?: string,
): Comparison {
  const measure = `difference of the shares that took each other's place, of ${rows.size} tokens that went to other experts`
  return comparison(
    golden,
    router,
    farthest,
    undecidedWithin(precision) ?? 0,
    [...(note === undefined ? [] : [note]), measure].join(', '),
  )
}

/** Gives null where the precision promises nothing for this tensor. A tensor that is missing on either side is infinitely far. */
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
  const [images = 1] = golden.tensors?.[tensor]?.shape ?? []
  const error = farthest(images, actual, expected)
  const measure = `1 - cosine of the farthest image${note === undefined ? '' : `, ${note}`}`
  return comparison(golden, tensor, error, 1 - promise, measure)
}

/**
 * Judges what tools make of features: by the tolerance in float32 and float64; in narrower precisions all of it together is as near as an embedding, or as
 * attention where it is made of that.
 */
export function judgeTogether(
  precision: Precision,
  golden: GoldenCase,
  tensor: string,
  actual: Float32Array | undefined,
  expected: Float32Array | undefined,
  isOfAttention: boolean,
): Comparison {
  const promise = LOWEST_COSINE[precision]
  if (promise === undefined) return compare(golden, tensor, actual, expected)
  const lowest = isOfAttention ? Math.min(promise, LOWEST_COSINE_OF_ATTENTION) : promise
  return comparison(golden, tensor, farthest(1, actual, expected), 1 - lowest, '1 - cosine')
}

/** Is how near to the library's the attention of each row is in precisions whose tokens are that near. */
const LOWEST_COSINE_OF_ATTENTION = 0.999

/**
 * Judges attention weights, whose last axis is a row: by the tolerance in float32 and float64, by the cosine of the farthest row in precisions as exact. Gives null for
 * bfloat16 and int8, which promise less of the tokens that attend: networks of made weights have scores of ten and more, and a softmax that is nearly a choice.
 */
export function judgeRows(
  precision: Precision,
  golden: GoldenCase,
  tensor: string,
  actual: Float32Array | undefined,
  expected: Float32Array | undefined,
): Comparison | null {
  const promise = LOWEST_COSINE[precision]
  if (promise === undefined) return compare(golden, tensor, actual, expected)
  if (promise < LOWEST_COSINE_OF_TOKENS) return null
  const rows = golden.tensors?.[tensor]?.shape.slice(0, -1) ?? []
  const count = rows.reduce((product, size) => product * size, 1)
  const error = farthest(count, actual, expected)
  return comparison(golden, tensor, error, 1 - LOWEST_COSINE_OF_ATTENTION, '1 - cosine of the farthest row')
}

/** A precision that promises less of tokens promises nothing of what they attend to. */
const LOWEST_COSINE_OF_TOKENS = 0.9999

/** Compares by the tolerance that came with the tensor; without one, only equal numbers pass. */
export function compare(
  golden: GoldenCase,
  tensor: string,
  actual: Float32Array | undefined,
  expected: Float32Array | undefined,
  note?: string,
): Comparison {
  const { atol = 0 } = golden.tensors?.[tensor] ?? {}
  const missing = actual === undefined || expected === undefined
  const error = missing ? Number.POSITIVE_INFINITY : largestDifference(actual, expected)
  return comparison(golden, tensor, error, atol, note)
}

export function comparison(
  { id, kind }: GoldenCase,
  tensor: string,
  error: number,
  tolerance: number,
  note?: string,
): Comparison {
  const passed = error <= tolerance
  return { id, kind, tensor, error, tolerance, passed, ...(note === undefined ? {} : { note }) }
}

/** Gives 1 - cosine of the part that is farthest; what is missing on either side is infinitely far. */
function farthest(
  count: number,
  actual: Float32Array | undefined,
  expected: Float32Array | undefined,
): number {
  const comparable = actual !== undefined && expected !== undefined && actual.length === expected.length
  return comparable ? 1 - lowestCosine(count, actual, expected) : Number.POSITIVE_INFINITY
}

/** @param count counts the parts, each of which has a cosine */
function lowestCosine(count: number, actual: Float32Array, expected: Float32Array): number {
  const length = expected.length / count
  let lowest = expected.length === 0 ? Number.NaN : 1
  for (let from = 0; from < expected.length; from += length) {
    const to = from + length
    const cosine = cosineSimilarity(actual.subarray(from, to), expected.subarray(from, to))
    // The condition is written so that a NaN becomes the lowest.
    if (!(cosine >= lowest)) lowest = cosine
  }
  return lowest
}

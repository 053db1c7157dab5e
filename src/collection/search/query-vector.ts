/** Makes one direction of examples: what a photo's embedding is compared with. */

import { fitProbe } from '../../numerics/labelled/linear-probe.js'
import type { ProductOptions } from '../../numerics/products.js'
import { CollectionError } from '../collection-error.js'
import { unit } from '../unit.js'

/** Says how the direction was made of the examples. */
export type QueryWay =
  /** It is the mean of their unit vectors. */
  | 'mean'
  /** It is that, without a part of what they are not to be like (Rocchio). */
  | 'rocchio'
  /** It parts the examples from those that are not wanted best (a linear probe). */
  | 'probe'

export interface QueryVector {
  /** [D], of length 1 but for what rounding to halves takes. */
  readonly vector: Float32Array
  readonly way: QueryWay
}

/**
 * From so many examples of either kind on, a probe is trained. With fewer it would follow what is peculiar to them.
 */
const ENOUGH_FOR_PROBE = 5

/** Rocchio's weights are 0.75 and 0.15 (Manning, Raghavan and Schütze, Introduction to Information Retrieval, 9.1.1): of their quotient alone a direction depends. */
const UNLIKE_WEIGHT = 0.2

/** Weighs errors against the penalty as scikit-learn does where nobody says. */
const PROBE_C = 1

/**
 * Makes the direction. One example alone is it as it is: rounded otherwise it would not be exactly itself that a photo finds.
 *
 * @param like holds vectors as they are stored, of which there is one at least
 * @throws `CollectionError` `no-direction` where what is wanted and what is not cancel each other out; RangeError for a vector without length; the signal's reason
 */
export async function queryVector(
  like: readonly Float32Array[],
  unlike: readonly Float32Array[],
  {
    unlikeWeight = UNLIKE_WEIGHT,
    signal,
  }: ProductOptions & { readonly unlikeWeight?: number | undefined } = {},
): Promise<QueryVector> {
  const [only] = like
  if (only !== undefined && like.length === 1 && unlike.length === 0) return { vector: only, way: 'mean' }
  const [wanted, unwanted] = [like.map(unit), unlike.map(unit)]
  if (wanted.length >= ENOUGH_FOR_PROBE && unwanted.length >= ENOUGH_FOR_PROBE)
    return { vector: lengthOne(await probeDirection(unwanted, wanted, signal)), way: 'probe' }
  const sum = meanOf(wanted)
  if (unwanted.length > 0)
    for (const [at, value] of meanOf(unwanted).entries()) sum[at] = (sum[at] ?? 0) - unlikeWeight * value
  return { vector: lengthOne(sum), way: unwanted.length > 0 ? 'rocchio' : 'mean' }
}

/** Trains on the two classes, and gives the direction from the first to the second. */
async function probeDirection(
  first: readonly Float32Array[],
  second: readonly Float32Array[],
  signal: AbortSignal | undefined,
): Promise<Float64Array> {
  const all = [...first, ...second]
  const width = all[0]?.length ?? 0
  const rows = new Float32Array(all.length * width)
  for (const [at, vector] of all.entries()) rows.set(vector, at * width)
  const labels = Int32Array.from(all, (_, at) => (at < first.length ? 0 : 1))
  const { weight } = await fitProbe({ rows, width, labels, classes: 2 }, { c: PROBE_C, signal })
  return Float64Array.from({ length: width }, (_, at) => (weight[width + at] ?? 0) - (weight[at] ?? 0))
}

function lengthOne(vector: Float64Array): Float32Array {
  const length = Math.sqrt(vector.reduce((square, value) => square + value * value, 0))
  // Rounding leaves of vectors that cancel each other out no more than this.
  if (length < 1e-6)
    throw new CollectionError(
      'no-direction',
      'The examples cancel each other out: nothing is like all of them. Name others, or fewer.',
    )
  return Float32Array.from(vector, (value) => value / length)
}

function meanOf(vectors: readonly Float32Array[]): Float64Array {
  const sum = new Float64Array(vectors[0]?.length ?? 0)
  for (const vector of vectors)
    for (const [at, value] of vector.entries()) sum[at] = (sum[at] ?? 0) + value / vectors.length
  return sum
}

/** Makes one direction of examples: what a photo's embedding is compared with. */
import { CollectionError } from '../collection-error.js'
import { unit } from '../unit.js'
import { probeDirection } from './probe-direction.js'

/** Says how the direction was made of the examples. */
export type QueryWay =
  /** It is the mean of their unit vectors. */
  | 'mean'
  /** It is that, without a part of what they are not to be like (Rocchio). */
  | 'rocchio'
  /** It parts the examples from those that are not wanted best (a linear probe). */
  | 'probe'

export interface QueryVector {
  /** [D], of length 1. */
  readonly vector: Float32Array
  readonly way: QueryWay
}

/**
 * From so many examples of either kind on, a probe is trained. With fewer it would follow what is peculiar to them.
 */
const ENOUGH_FOR_PROBE = 5

/** Rocchio's weights are 0.75 and 0.15 (Manning, Raghavan and Schütze, Introduction to Information Retrieval, 9.1.1): of their quotient alone a direction depends. */
export const UNLIKE_WEIGHT = 0.2

/** @throws `CollectionError` `no-direction` where what is wanted and what is not cancel each other out; RangeError for a vector without length */
export function queryVector(
  like: readonly Float32Array[],
  unlike: readonly Float32Array[],
  unlikeWeight = UNLIKE_WEIGHT,
): QueryVector {
  const [wanted, unwanted] = [like.map(unit), unlike.map(unit)]
  if (wanted.length >= ENOUGH_FOR_PROBE && unwanted.length >= ENOUGH_FOR_PROBE)
    return { vector: probeDirection(wanted, unwanted), way: 'probe' }
  const sum = meanOf(wanted)
  if (unwanted.length > 0) {
    const against = meanOf(unwanted)
    for (const [at, value] of against.entries()) sum[at] = (sum[at] ?? 0) - unlikeWeight * value
  }
  const length = Math.sqrt(sum.reduce((square, value) => square + value * value, 0))
  // Rounding leaves of vectors that cancel each other out no more than this.
  if (length < 1e-6)
    throw new CollectionError(
      'no-direction',
      'The examples cancel each other out: nothing is like all of them. Name others, or fewer.',
    )
  return {
    vector: Float32Array.from(sum, (value) => value / length),
    way: unwanted.length > 0 ? 'rocchio' : 'mean',
  }
}

function meanOf(vectors: readonly Float32Array[]): Float64Array {
  const sum = new Float64Array(vectors[0]?.length ?? 0)
  for (const vector of vectors)
    for (const [at, value] of vector.entries()) sum[at] = (sum[at] ?? 0) + value / vectors.length
  return sum
}

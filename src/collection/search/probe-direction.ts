/** Trains a linear probe on a few examples: the direction along which wanted and unwanted ones are told apart, by logistic regression. */

/** Is the strength of the L2 penalty for each example; scikit-learn calls its inverse C. */
const PENALTY = 1
const ROUNDS = 200

/**
 * Gives the direction [D], of length 1. Each kind counts as much as the other, however many there are of it. Vectors have length 1, so that the loss bends by at
 * most a half, and Nesterov's steps of that length always go down to the one minimum.
 */
export function probeDirection(
  wanted: readonly Float32Array[],
  unwanted: readonly Float32Array[],
): Float32Array {
  const examples = [
    ...wanted.map((vector) => ({ vector, sign: 1, weight: 0.5 / wanted.length })),
    ...unwanted.map((vector) => ({ vector, sign: -1, weight: 0.5 / unwanted.length })),
  ]
  const width = wanted[0]?.length ?? 0
  const penalty = PENALTY / examples.length
  // The last number is the offset, which is not held down, and is not part of the direction.
  let now = new Float64Array(width + 1)
  let ahead = now
  for (let round = 0; round < ROUNDS; round++) {
    const slope = Float64Array.from(ahead, (value, at) => (at < width ? penalty * value : 0))
    for (const { vector, sign, weight } of examples) {
      let score = ahead[width] ?? 0
      for (const [at, value] of vector.entries()) score += value * (ahead[at] ?? 0)
      const pull = (-sign * weight) / (1 + Math.exp(sign * score))
      for (const [at, value] of vector.entries()) slope[at] = (slope[at] ?? 0) + pull * value
      slope[width] = (slope[width] ?? 0) + pull
    }
    // A vector of length 1 with its offset has the square length 2, of which a quarter is the most that the loss bends.
    const next = ahead.map((value, at) => value - (slope[at] ?? 0) / (0.5 + penalty))
    const momentum = round / (round + 3)
    ahead = next.map((value, at) => value + momentum * (value - (now[at] ?? 0)))
    now = next
  }
  const direction = now.subarray(0, width)
  const length = Math.sqrt(direction.reduce((square, value) => square + value * value, 0))
  return Float32Array.from(direction, (value) => (length > 0 ? value / length : 0))
}

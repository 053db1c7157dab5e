/**
 * Chooses experts for tokens by their scores, [T, E] for T tokens and E experts. What comes out is the weight of each expert for each token, [T, E],
 * with 0 for those that it does not go to. What is compared is float32, as in the library; of equal values the lower number is taken.
 */
import { softmaxRows } from './softmax.js'

/** Lets each token take the experts with the largest sigmoid + bias, by the sigmoids over their sum (DeepSeek-AI 2024, "DeepSeek-V3 Technical Report"). */
export function routeBySigmoid(
  scores: Float32Array, // [T, E]
  bias: Float32Array, // [E]
  choices: number,
  out: Float32Array, // [T, E]
): void {
  const E = bias.length
  for (let row = 0; row < scores.length; row += E) {
    const sigmoids = scores.subarray(row, row + E).map((score) => 1 / (1 + Math.exp(-score)))
    const chosen = largest(
      sigmoids.map((sigmoid, e) => sigmoid + bias[e]),
      choices,
    )
    const sum = chosen.reduce((total, e) => total + sigmoids[e], 0)
    for (const e of chosen) out[row + e] = sigmoids[e] / Math.max(sum, SMALLEST)
  }
}

/** Is the smallest normal float32, below which no sum of sigmoids is divided by. */
const SMALLEST = 2 ** -126

/**
 * Lets each token take the experts with the largest scores, by the softmax over all of them. An expert takes no more than `capacity` tokens: all first
 * choices come first, in the order of the tokens, then all second ones (Riquelme et al. 2021, "Scaling Vision with Sparse Mixture of Experts").
 */
export function routeBySoftmax(
  scores: Float32Array, // [T, E]
  experts: number,
  choices: number,
  capacity: number,
  out: Float32Array, // [T, E]
): void {
  const tokens = scores.length / experts
  const taken = new Int32Array(experts)
  const shares = softmaxRows(scores, experts)
  const chosen = Array.from({ length: tokens }, (_, t) =>
    largest(scores.subarray(t * experts, (t + 1) * experts), choices),
  )
  for (let rank = 0; rank < choices; rank++) {
    for (let t = 0; t < tokens; t++) {
      const e = chosen[t][rank]
      if (taken[e]++ < capacity) out[t * experts + e] = shares[t * experts + e]
    }
  }
}

/** Lets each expert take the `capacity` tokens with the largest softmax over experts (Zhou et al. 2022, "Mixture-of-Experts with Expert Choice Routing"). */
export function routeByExperts(
  scores: Float32Array, // [T, E]
  experts: number,
  capacity: number,
  out: Float32Array, // [T, E]
): void {
  const tokens = scores.length / experts
  const shares = softmaxRows(scores, experts)
  for (let e = 0; e < experts; e++) {
    const own = Float32Array.from({ length: tokens }, (_, t) => shares[t * experts + e])
    for (const t of largest(own, capacity)) out[t * experts + e] = own[t]
  }
}

/** Numbers the `count` largest values, the largest first. A NaN counts as larger than all, so that it is not lost. */
function largest(values: Float32Array, count: number): readonly number[] {
  const order = Array.from(values, (value, index) => ({ index, key: Number.isNaN(value) ? Infinity : value }))
  order.sort((a, b) => b.key - a.key || a.index - b.index)
  return order.slice(0, count).map(({ index }) => index)
}

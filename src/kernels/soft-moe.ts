/**
 * A soft mixture of experts mixes in two steps (Puigcerver et al. 2023, "From Sparse to Soft Mixtures of Experts").
 * Logits are [N, S] for N tokens and S slots in all.
 */
import { softmax } from './softmax.js'

/** Computes what each slot receives: slot[s] = sum over n of softmax over tokens (logits)[n, s] * x[n]. */
export function dispatchTokens(
  logits: Float32Array, // [N, S]
  x: Float32Array, // [N, D]
  tokens: number,
  out: Float32Array, // [S, D]
): void {
  const S = logits.length / tokens
  const D = x.length / tokens
  const weights = new Float64Array(tokens)
  for (let s = 0; s < S; s++) {
    for (let n = 0; n < tokens; n++) weights[n] = logits[n * S + s]
    softmax(weights)
    for (let d = 0; d < D; d++) {
      let sum = 0
      for (let n = 0; n < tokens; n++) sum += weights[n] * x[n * D + d]
      out[s * D + d] = sum
    }
  }
}

/** Computes what each token gets back: out[n] = sum over s of softmax over slots (logits)[n, s] * slots[s]. */
export function combineSlots(
  logits: Float32Array, // [N, S]
  slots: Float32Array, // [S, D]
  tokens: number,
  out: Float32Array, // [N, D]
): void {
  const S = logits.length / tokens
  const D = slots.length / S
  for (let n = 0; n < tokens; n++) {
    const weights = Float64Array.from(logits.subarray(n * S, (n + 1) * S))
    softmax(weights)
    for (let d = 0; d < D; d++) {
      let sum = 0
      for (let s = 0; s < S; s++) sum += weights[s] * slots[s * D + d]
      out[n * D + d] = sum
    }
  }
}

/** Adds experts' answers up: out[t] = scale * sum over e of weights[t, e] * answer of e to row t, of those experts alone whose weight is not 0. */
export function mixExperts(
  x: Float32Array, // [T, D]
  weights: Float32Array, // [T, E]
  experts: number,
  scale: number,
  answer: (expert: number, rows: Float32Array, count: number) => Float32Array, // [count, D] to [count, D]
  out: Float32Array, // [T, D]
): void {
  const T = weights.length / experts
  const D = x.length / T
  const sums = new Float64Array(out.length)
  for (let e = 0; e < experts; e++) {
    const tokens = Array.from({ length: T }, (_, t) => t).filter((t) => weights[t * experts + e] !== 0)
    if (tokens.length === 0) continue
    const rows = new Float32Array(tokens.length * D)
    for (const [at, t] of tokens.entries()) rows.set(x.subarray(t * D, (t + 1) * D), at * D)
    const answers = answer(e, rows, tokens.length)
    for (const [at, t] of tokens.entries()) {
      for (let d = 0; d < D; d++) sums[t * D + d] += weights[t * experts + e] * answers[at * D + d]
    }
  }
  for (let i = 0; i < out.length; i++) out[i] = scale * sums[i]
}

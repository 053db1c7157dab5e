/**
 * Lays out what attention weighs values by: a row of weights for each head and row that is asked for, head by head, or one for each row where heads
 * are joined value by value (the fusions of attention rollout, Abnar and Zuidema 2020; Gildenblat 2020, "Exploring explainability for vision
 * transformers").
 */
type Fusion = 'none' | 'mean' | 'max' | 'min'

export function attentionWeights(
  weightsOf: (head: number, row: number, weights: Float64Array) => void,
  heads: ArrayLike<number>,
  rows: ArrayLike<number>,
  fusion: Fusion,
  out: Float32Array, // [heads * rows, keys], or [rows, keys] where heads are joined
): void {
  const lines = fusion === 'none' ? heads.length * rows.length : rows.length
  const weights = new Float64Array(out.length / lines)
  const joined = new Float64Array(weights.length)
  for (let r = 0; r < rows.length; r++) {
    for (let h = 0; h < heads.length; h++) {
      weightsOf(heads[h], rows[r], weights)
      if (fusion === 'none') out.set(weights, (h * rows.length + r) * weights.length)
      else if (h === 0) joined.set(weights)
      else for (let n = 0; n < joined.length; n++) joined[n] = JOINS[fusion](joined[n], weights[n])
    }
    if (fusion === 'none') continue
    const factor = fusion === 'mean' ? 1 / heads.length : 1
    out.set(
      joined.map((value) => value * factor),
      r * weights.length,
    )
  }
}

const JOINS: Readonly<Record<Exclude<Fusion, 'none'>, (a: number, b: number) => number>> = {
  mean: (a, b) => a + b,
  max: Math.max,
  min: Math.min,
}

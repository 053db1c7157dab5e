/** Turns a row of scores into positive weights that sum to 1, in float64; the largest is subtracted first. */
export function softmax(scores: Float64Array): void {
  let largest = Number.NEGATIVE_INFINITY
  for (const score of scores) if (score > largest) largest = score
  let sum = 0
  for (let i = 0; i < scores.length; i++) {
    scores[i] = Math.exp(scores[i] - largest)
    sum += scores[i]
  }
  for (let i = 0; i < scores.length; i++) scores[i] /= sum
}

/** Computes the softmax of each row of scores [rows, width], as float32. */
export function softmaxRows(scores: Float32Array, width: number): Float32Array {
  const out = new Float32Array(scores.length)
  for (let row = 0; row < scores.length; row += width) {
    const weights = Float64Array.from(scores.subarray(row, row + width))
    softmax(weights)
    out.set(weights, row)
  }
  return out
}

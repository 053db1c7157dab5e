/**
 * Gives every row mean 0 and variance 1, then scales and shifts each channel.
 *
 *     out[r, c] = (x[r, c] - mean[r]) / sqrt(variance[r] + epsilon) * weight[c] + bias[c]
 *
 * The variance divides by C, not C - 1, as `torch.nn.LayerNorm` does. Sums run in float64. `out` may be `x` itself.
 */
export function layerNorm(
  x: Float32Array, // [rows, C]
  weight: Float32Array, // [C]
  bias: Float32Array | null, // [C]
  epsilon: number,
  out: Float32Array, // [rows, C]
): void {
  const C = weight.length
  for (let row = 0; row < x.length; row += C) {
    let mean = 0
    for (let c = 0; c < C; c++) mean += x[row + c]
    mean /= C

    let variance = 0
    for (let c = 0; c < C; c++) variance += (x[row + c] - mean) ** 2
    variance /= C

    const scale = 1 / Math.sqrt(variance + epsilon)
    for (let c = 0; c < C; c++) {
      out[row + c] = (x[row + c] - mean) * scale * weight[c] + (bias === null ? 0 : bias[c])
    }
  }
}

/**
 * Gives every row a root mean square of 1, then scales each channel; nothing is subtracted.
 *
 *     out[r, c] = x[r, c] / sqrt(mean of x[r]^2 + epsilon) * weight[c]
 *
 * This is `torch.nn.RMSNorm`. Sums run in float64. `out` may be `x` itself.
 */
export function rmsNorm(
  x: Float32Array, // [rows, C]
  weight: Float32Array, // [C]
  epsilon: number,
  out: Float32Array, // [rows, C]
): void {
  const C = weight.length
  for (let row = 0; row < x.length; row += C) {
    let square = 0
    for (let c = 0; c < C; c++) square += x[row + c] ** 2
    const scale = 1 / Math.sqrt(square / C + epsilon)
    for (let c = 0; c < C; c++) out[row + c] = x[row + c] * scale * weight[c]
  }
}

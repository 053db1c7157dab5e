/**
 * Multiplies each column with a factor of its own: layer scale.
 *
 *     out[r, c] = x[r, c] * gamma[c]
 */
export function scaleColumns(
  x: Float32Array, // [rows, D]
  gamma: Float32Array, // [D]
  out: Float32Array, // [rows, D]
): void {
  for (let i = 0; i < out.length; i++) out[i] = x[i] * gamma[i % gamma.length]
}

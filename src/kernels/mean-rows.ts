/**
 * Gives the mean of all rows, with sums in float64.
 *
 *     out[c] = sum over r of x[r, c] / rows
 */
export function meanRows(
  x: Float32Array, // [rows, D]
  rows: number,
  out: Float32Array, // [D]
): void {
  for (let c = 0; c < out.length; c++) {
    let sum = 0
    for (let at = c; at < x.length; at += out.length) sum += x[at]
    out[c] = sum / rows
  }
}

/**
 * Gives the largest value of each column. A NaN among them is the result, as `torch.amax` has it: a damaged weight must show.
 *
 *     out[c] = max over r of x[r, c]
 */
export function maxRows(
  x: Float32Array, // [rows, D]
  out: Float32Array, // [D]
): void {
  for (let c = 0; c < out.length; c++) {
    let largest = x[c]
    for (let at = c; at < x.length; at += out.length) largest = Math.max(largest, x[at])
    out[c] = largest
  }
}

/**
 * Gives the mean of each of several groups of consecutive rows, with sums in float64.
 *
 *     out[g, c] = sum over the rows of group g of x[r, c] / rows
 */
export function meanRows(
  x: Float32Array, // [groups * rows, width]
  rows: number, // of a group
  width: number,
  out: Float32Array, // [groups, width]
): void {
  for (let at = 0; at < out.length; at++) {
    const column = at % width
    const first = ((at - column) / width) * rows * width + column
    let sum = 0
    for (let r = 0; r < rows; r++) sum += x[first + r * width]
    out[at] = sum / rows
  }
}

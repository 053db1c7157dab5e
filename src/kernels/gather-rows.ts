/** Puts rows where an index says: out[n] = x[index[n]], or zeros where the index is -1. */
export function gatherRows(
  x: Float32Array, // [R, width]
  index: Float32Array, // [N], whole numbers
  width: number,
  out: Float32Array, // [N, width]
): void {
  for (let n = 0; n < index.length; n++) {
    const from = index[n] * width
    if (from < 0) out.fill(0, n * width, (n + 1) * width)
    else out.set(x.subarray(from, from + width), n * width)
  }
}

/** Brings kernels of convolutions into the order in which plans have them: the places of a kernel outside, its channels inside, as pixels have theirs. */

/** Turns PyTorch's [N, C, side, side] of a convolution into [N, side * side * C]. */
export function kernelRows(weight: Float32Array, side: number, channels: number): Float32Array {
  const cells = side * side
  const out = new Float32Array(weight.length)
  for (let i = 0; i < weight.length; i++) {
    const [cell, c] = [i % cells, Math.floor(i / cells) % channels]
    const kernel = Math.floor(i / (cells * channels))
    out[(kernel * cells + cell) * channels + c] = weight[i]
  }
  return out
}

/** Turns PyTorch's [C, N, side, side] of a transposed convolution into [side * side * N, C]. */
export function transposedKernelRows(weight: Float32Array, side: number, channels: number): Float32Array {
  const cells = side * side
  const columns = weight.length / (cells * channels)
  const out = new Float32Array(weight.length)
  for (let i = 0; i < weight.length; i++) {
    const [cell, n] = [i % cells, Math.floor(i / cells) % columns]
    const c = Math.floor(i / (cells * columns))
    out[(cell * columns + n) * channels + c] = weight[i]
  }
  return out
}

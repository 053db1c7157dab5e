/**
 * Takes columns [from, from + width) of rows. Where a token has several rows, as it has a copy in each of several windows, it gets their mean.
 *
 * @param tokens numbers the token that each row is, -1 for none; null where they are all tokens in their order
 */
export function takeColumns(
  x: Float32Array, // [rows, columns]
  columns: number,
  from: number,
  tokens: readonly number[] | null,
  width: number,
  out: Float32Array, // [T, width]
): void {
  const rows = x.length / columns
  if (tokens === null) {
    for (let row = 0; row < rows; row++) {
      const start = row * columns + from
      out.set(x.subarray(start, start + width), row * width)
    }
    return
  }
  const copies = new Float64Array(out.length / width)
  for (const token of tokens) if (token >= 0) copies[token]++
  const sums = new Float64Array(out.length)
  for (const [row, token] of tokens.entries()) {
    if (token < 0) continue
    for (let c = 0; c < width; c++) sums[token * width + c] += x[row * columns + from + c]
  }
  for (let i = 0; i < out.length; i++) out[i] = sums[i] / copies[Math.floor(i / width)]
}

/** Lays columns that are head after head out channel after channel: a head's channel goes to channel * heads + head. */
export function headsLast(
  x: Float32Array, // [rows, heads * channels]
  heads: number,
  width: number,
): Float32Array {
  const out = new Float32Array(x.length)
  const channels = width / heads
  for (let row = 0; row < x.length; row += width) {
    for (let h = 0; h < heads; h++) {
      for (let c = 0; c < channels; c++) out[row + c * heads + h] = x[row + h * channels + c]
    }
  }
  return out
}

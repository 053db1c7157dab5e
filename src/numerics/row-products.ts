/** Computes the dot products of every row of `queries` [Q, D] with every one of `rows` [N, D], into [Q, N]; sums run in float64. */
export function rowProducts(queries: Float32Array, rows: Float32Array, width: number): Float32Array {
  const out = new Float32Array((queries.length / width) * (rows.length / width))
  let to = 0
  for (let a = 0; a < queries.length; a += width) {
    for (let b = 0; b < rows.length; b += width, to++) {
      let sum = 0
      for (let i = 0; i < width; i++) sum += queries[a + i] * rows[b + i]
      out[to] = sum
    }
  }
  return out
}

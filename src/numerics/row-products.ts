/** Is what many products over rows of features are computed by: whoever can do it faster than plain loops is handed in. */
export interface RowProducts {
  /** Multiplies every query [Q, D] with every row [N, D], into [Q, N]. Where all of them have length 1, these are cosines. */
  similarity(
    queries: Float32Array,
    rows: Float32Array,
    width: number,
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<Float32Array>
}

/** Computes in plain loops on the calling thread, with sums in float64. */
export const plainRowProducts: RowProducts = {
  async similarity(queries, rows, width) {
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
  },
}

/**
 * Multiplies every row with a matrix and adds a bias.
 *
 *     out[r, n] = sum over k of x[r, k] * weight[n, k] + bias[n]
 *
 * The weight is [out, in], as PyTorch stores it. Sums run in float64: this is the answer that the fast engines are checked
 * against. Four rows at a time share each weight that was read; that changes nothing in the result.
 */
export function linear(
  x: Float32Array, // [rows, K]
  weight: Float32Array, // [N, K]
  bias: Float32Array | null, // [N]
  rows: number,
  out: Float32Array, // [rows, N]
): void {
  const K = x.length / rows
  const N = weight.length / K
  let r = 0
  for (; r + 4 <= rows; r += 4) {
    const [a, b, c, d] = [r * K, (r + 1) * K, (r + 2) * K, (r + 3) * K]
    for (let n = 0; n < N; n++) {
      const start = bias === null ? 0 : bias[n]
      let [s0, s1, s2, s3] = [start, start, start, start]
      const w = n * K
      for (let k = 0; k < K; k++) {
        const value = weight[w + k]
        s0 += x[a + k] * value
        s1 += x[b + k] * value
        s2 += x[c + k] * value
        s3 += x[d + k] * value
      }
      out[r * N + n] = s0
      out[(r + 1) * N + n] = s1
      out[(r + 2) * N + n] = s2
      out[(r + 3) * N + n] = s3
    }
  }
  for (; r < rows; r++) {
    for (let n = 0; n < N; n++) {
      let sum = bias === null ? 0 : bias[n]
      for (let k = 0; k < K; k++) sum += x[r * K + k] * weight[n * K + k]
      out[r * N + n] = sum
    }
  }
}

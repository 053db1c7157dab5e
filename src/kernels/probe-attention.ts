/**
 * Pools as EfficientProbing does: each latent looks at the raw tokens head by head, its maps are averaged over the heads, and it pools
 * its own share of the value columns.
 *
 *     map[l, n] = mean over h of softmax over n of (scale * <latent[l, h], key[n, h]>)
 *     out[l * D / L + j] = sum over n of map[l, n] * value[n, l * D / L + j]
 */
import { softmax } from './softmax.js'

export function probeAttention(
  latents: Float32Array, // [L, D]
  keys: Float32Array, // [N, D]
  values: Float32Array, // [N, D]
  width: number,
  heads: number,
  scale: number,
  out: Float32Array, // [D]
): void {
  const L = latents.length / width
  const N = keys.length / width
  const headWidth = width / heads
  const share = width / L
  const scores = new Float64Array(N)
  for (let l = 0; l < L; l++) {
    const map = new Float64Array(N)
    for (let h = 0; h < heads; h++) {
      for (let n = 0; n < N; n++) {
        let sum = 0
        for (let j = h * headWidth; j < (h + 1) * headWidth; j++)
          sum += latents[l * width + j] * keys[n * width + j]
        scores[n] = sum * scale
      }
      softmax(scores)
      for (let n = 0; n < N; n++) map[n] += scores[n] / heads
    }
    for (let j = l * share; j < (l + 1) * share; j++) {
      let sum = 0
      for (let n = 0; n < N; n++) sum += map[n] * values[n * width + j]
      out[j] = sum
    }
  }
}

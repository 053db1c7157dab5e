/** Makes rows that lie in groups of very different sizes and spreads, with some that lie in none: what embeddings of photos are like, few enough for a test. */
import { seededRandom } from '../../src/numerics/seeded-random.js'

export interface MadeRows {
  /** float32 [N, width] */
  readonly rows: Float32Array
  /** [N] Is -1 for rows of no group. */
  readonly groups: Int32Array
}

/** Group k has about 1 / (k + 1) of the rows of the largest. */
export function madeRows(total: number, width: number, groupCount: number, seed = 1): MadeRows {
  const random = seededRandom(seed)
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
  const spectrum = Float64Array.from({ length: width }, (_, i) => 1 / Math.sqrt(1 + i / 4))
  const centres = Array.from({ length: groupCount }, () => Float64Array.from(spectrum, (s) => s * normal()))
  const spreads = centres.map(() => 0.15 + 0.35 * random())
  const weights = centres.map((_, k) => 1 / (k + 1))
  const limits = weights.map((_, k) => weights.slice(0, k + 1).reduce((a, b) => a + b, 0))
  const sum = limits.at(-1) ?? 0
  const rows = new Float32Array(total * width)
  const groups = new Int32Array(total).fill(-1)
  for (let row = 0; row < total; row++) {
    const drawn = random() * sum * 1.06
    const group = limits.findIndex((limit) => drawn < limit)
    groups[row] = group
    const centre = centres[group]
    const spread = spreads[group] ?? 1
    for (let i = 0; i < width; i++)
      rows[row * width + i] = (centre?.[i] ?? 0) + spread * (spectrum[i] ?? 0) * normal()
  }
  return { rows, groups }
}

/**
 * Turns pairs of columns of each head by a table of angles (rotary positions, Su et al. 2021). In place.
 *
 *     out[t, h, j] = x[t, h, j] * cosine[t, j] + partner(x)[t, h, j] * sine[t, j]
 *
 * The partner of the first of a pair is minus the second, and that of the second is the first.
 */
export function turnHeads(
  x: Float32Array, // [T, heads * headWidth]
  table: Float32Array, // [T, 2 * headWidth], or [T, heads * 2 * headWidth]: cosines, then sines
  rows: number,
  heads: number,
  pairs: 'halves' | 'neighbours',
): void {
  const headWidth = x.length / rows / heads
  const ownTables = table.length === rows * heads * 2 * headWidth ? heads : 1
  const half = headWidth / 2
  const turned = new Float64Array(headWidth)
  for (let t = 0; t < rows; t++) {
    for (let h = 0; h < heads; h++) {
      const at = (t * heads + h) * headWidth
      const cosine = (t * ownTables + (ownTables === 1 ? 0 : h)) * 2 * headWidth
      const sine = cosine + headWidth
      for (let p = 0; p < half; p++) {
        const first = pairs === 'halves' ? p : 2 * p
        const second = pairs === 'halves' ? p + half : 2 * p + 1
        const [a, b] = [x[at + first], x[at + second]]
        turned[first] = a * table[cosine + first] - b * table[sine + first]
        turned[second] = b * table[cosine + second] + a * table[sine + second]
      }
      x.set(turned, at)
    }
  }
}

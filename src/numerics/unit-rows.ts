/** Scales each row of `rows` [N, D] to length 1, into float32. A row of zeros stays as it is, as in torch's `normalize` (a length below 1e-12 counts as that). */
export function unitRows(rows: Float32Array, width: number): Float32Array {
  const out = new Float32Array(rows.length)
  for (let at = 0; at < rows.length; at += width) {
    let square = 0
    for (let i = at; i < at + width; i++) square += rows[i] * rows[i]
    const length = Math.max(Math.sqrt(square), 1e-12)
    for (let i = at; i < at + width; i++) out[i] = rows[i] / length
  }
  return out
}

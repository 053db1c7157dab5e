/** Measures rows, and gives them length 1. */

/** Gives the Euclidean length of each of `rows` [N, D], [N]. */
export function rowLengths(rows: Float32Array, width: number): Float32Array {
  const lengths = new Float32Array(rows.length / width)
  for (let row = 0; row < lengths.length; row++) {
    let square = 0
    for (let i = row * width; i < (row + 1) * width; i++) square += rows[i] * rows[i]
    lengths[row] = Math.sqrt(square)
  }
  return lengths
}

/** Gives each of `rows` [N, D] length 1; a row of zeros stays one. */
export function unitRows(rows: Float32Array, width: number): Float32Array<ArrayBuffer> {
  const units = new Float32Array(rows.length)
  for (let at = 0; at < rows.length; at += width) {
    let square = 0
    for (let i = at; i < at + width; i++) square += rows[i] * rows[i]
    const scale = square > 0 ? 1 / Math.sqrt(square) : 0
    for (let i = at; i < at + width; i++) units[i] = rows[i] * scale
  }
  return units
}

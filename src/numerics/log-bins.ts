/**
 * Gives each cell of a grid its surroundings as further columns, in bins that grow with the distance: dino-vit-features' descriptors for correspondences (Amir et al.
 * 2021, "Deep ViT features as dense visual descriptors", `_log_bin` with a hierarchy of 2).
 *
 * The 17 parts of a cell are the 3 x 3 cells around it, itself among them, then the means of the 8 windows of 3 x 3 whose middles lie 3 cells away, each row by row. A
 * place beyond the border is that at the border, and a mean counts only cells inside.
 *
 * @param values [rows * columns, D], row by row
 * @returns [rows * columns, 17 * D], part after part
 */
export function logBins(values: Float32Array, rows: number, columns: number): Float32Array {
  const width = values.length / (rows * columns)
  const means = meansOfNeighbours(values, rows, columns, width)
  const out = new Float32Array(rows * columns * PARTS * width)
  let at = 0
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      for (const distance of [1, 3]) {
        const from = distance === 1 ? values : means
        for (const [down, right] of AROUND) {
          if (distance !== 1 && down === 0 && right === 0) continue
          const y = clamped(row + down * distance, rows)
          const x = clamped(column + right * distance, columns)
          const start = (y * columns + x) * width
          out.set(from.subarray(start, start + width), at)
          at += width
        }
      }
    }
  }
  return out
}

const PARTS = 17
const AROUND = [-1, 0, 1].flatMap((down) => [-1, 0, 1].map((right) => [down, right] as const))

function clamped(place: number, count: number): number {
  return Math.min(Math.max(place, 0), count - 1)
}

function meansOfNeighbours(values: Float32Array, rows: number, columns: number, width: number): Float32Array {
  const out = new Float32Array(values.length)
  const sums = new Float64Array(width)
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      sums.fill(0)
      let count = 0
      for (const [down, right] of AROUND) {
        const [y, x] = [row + down, column + right]
        if (y < 0 || y >= rows || x < 0 || x >= columns) continue
        count++
        for (let c = 0; c < width; c++) sums[c] += values[(y * columns + x) * width + c]
      }
      for (let c = 0; c < width; c++) out[(row * columns + column) * width + c] = sums[c] / count
    }
  }
  return out
}

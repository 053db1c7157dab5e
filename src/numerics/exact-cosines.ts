/** Compares rows of halves with a query by their cosine, so exactly that a row is nearest to itself. */
import { exactDot } from './exact-dot.js'

/**
 * Gives the cosine of a query [D] with each of `rows` [N, D], which were halves: [N], at most 1, with sums in float64. Of a row with itself it is 1; a row or query without
 * length has 0.
 */
export function exactCosines(query: Float32Array, rows: Float32Array): Float64Array {
  const width = query.length
  const own = exactDot(query, 0, query, 0, width)
  return Float64Array.from({ length: rows.length / width }, (_, row) => {
    const at = row * width
    const squares = own * exactDot(rows, at, rows, at, width)
    // The root of a square is the number itself, so that the cosine of a row with itself is 1 to the last bit.
    return squares > 0 ? Math.min(1, exactDot(query, 0, rows, at, width) / Math.sqrt(squares)) : 0
  })
}

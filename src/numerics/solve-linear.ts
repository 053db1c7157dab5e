/** Solves `matrix` [N, N] x = `right` [N] by Gauss with the largest pivot of each column; gives null where the matrix is singular within rounding. Both are overwritten. */
export function solveLinear(matrix: Float64Array, right: Float64Array): Float64Array | null {
  const size = right.length
  let largest = 0
  for (let i = 0; i < matrix.length; i++) largest = Math.max(largest, Math.abs(matrix[i]))
  for (let column = 0; column < size; column++) {
    let pivot = column
    for (let row = column + 1; row < size; row++)
      if (Math.abs(matrix[row * size + column]) > Math.abs(matrix[pivot * size + column])) pivot = row
    // The condition is written so that a NaN is refused as well.
    if (!(Math.abs(matrix[pivot * size + column]) > largest * SINGULAR)) return null
    swapRows(matrix, right, pivot, column)
    for (let row = column + 1; row < size; row++) {
      const factor = matrix[row * size + column] / matrix[column * size + column]
      for (let i = column; i < size; i++) matrix[row * size + i] -= factor * matrix[column * size + i]
      right[row] -= factor * right[column]
    }
  }
  for (let row = size - 1; row >= 0; row--) {
    for (let i = row + 1; i < size; i++) right[row] -= matrix[row * size + i] * right[i]
    right[row] /= matrix[row * size + row]
  }
  return right
}

/** Is what a pivot may come to, relative to the largest entry, and count as nothing. */
const SINGULAR = 1e-13

function swapRows(matrix: Float64Array, right: Float64Array, a: number, b: number): void {
  if (a === b) return
  const size = right.length
  for (let i = 0; i < size; i++) {
    const kept = matrix[a * size + i]
    matrix[a * size + i] = matrix[b * size + i]
    matrix[b * size + i] = kept
  }
  const kept = right[a]
  right[a] = right[b]
  right[b] = kept
}

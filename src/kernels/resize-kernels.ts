/**
 * Resizes the kernels of a patch embedding so that a patch and a resized patch give about the same (Beyer et al. 2023, "FlexiViT"): they are multiplied with the
 * pseudo-inverse of bilinear resampling. That is separable, so it is found for one axis; sums run in float64.
 */
import { bilinearTaps } from './resample-table.js'

/** @param kernels [any, oldSide, oldSide] @returns [any, newSide, newSide] */
export function resizeKernels(kernels: Float32Array, oldSide: number, newSide: number): Float32Array {
  const inverse = pseudoInverse(bilinearMatrix(oldSide, newSide))
  const out = new Float32Array((kernels.length / oldSide ** 2) * newSide ** 2)
  const wide = new Float64Array(oldSide * newSide)
  for (let kernel = 0; kernel * oldSide ** 2 < kernels.length; kernel++) {
    const from = kernels.subarray(kernel * oldSide ** 2, (kernel + 1) * oldSide ** 2)
    for (let y = 0; y < oldSide; y++) {
      for (let x = 0; x < newSide; x++) {
        let sum = 0
        for (let k = 0; k < oldSide; k++) sum += at(from, y * oldSide + k) * at(inverse[k], x)
        wide[y * newSide + x] = sum
      }
    }
    for (let y = 0; y < newSide; y++) {
      for (let x = 0; x < newSide; x++) {
        let sum = 0
        for (let k = 0; k < oldSide; k++) sum += at(inverse[k], y) * at(wide, k * newSide + x)
        out[kernel * newSide ** 2 + y * newSide + x] = sum
      }
    }
  }
  return out
}

type Matrix = readonly Float64Array[]

function at(values: ArrayLike<number> | undefined, index: number): number {
  return values?.[index] ?? Number.NaN
}

/** Gives [newSide, oldSide]. */
function bilinearMatrix(oldSide: number, newSide: number): Matrix {
  const { indices, weights } = bilinearTaps(oldSide, newSide)
  return indices.map((taps, i) => {
    const row = new Float64Array(oldSide)
    for (const [t, tap] of taps.entries()) row[tap] = at(row, tap) + at(weights[i], t)
    return row
  })
}

/** Gives the Moore-Penrose inverse of a matrix of full rank, as that of bilinear resampling is: through the smaller of its two products with itself. */
function pseudoInverse(matrix: Matrix): Matrix {
  const columns = matrix[0]?.length ?? 0
  const flipped = transpose(matrix, columns)
  if (matrix.length <= columns) return product(flipped, inverse(product(matrix, flipped)))
  return product(inverse(product(flipped, matrix)), flipped)
}

function transpose(matrix: Matrix, columns: number): Matrix {
  return Array.from({ length: columns }, (_, c) => Float64Array.from(matrix, (row) => at(row, c)))
}

function product(a: Matrix, b: Matrix): Matrix {
  const columns = b[0]?.length ?? 0
  return a.map((row) =>
    Float64Array.from({ length: columns }, (_, c) =>
      row.reduce((sum, value, k) => sum + value * at(b[k], c), 0),
    ),
  )
}

/** Inverts by elimination with the largest pivot. Throws where there is no inverse. */
function inverse(matrix: Matrix): Matrix {
  const size = matrix.length
  const rows = matrix.map((row, i) => Float64Array.from([...row, ...row.map((_, j) => (i === j ? 1 : 0))]))
  for (let column = 0; column < size; column++) {
    const rest = rows.slice(column)
    const pivot = rest.reduce((best, row) =>
      Math.abs(at(row, column)) > Math.abs(at(best, column)) ? row : best,
    )
    const scale = at(pivot, column)
    if (Math.abs(scale) < 1e-12) throw new Error('The resampling of a patch embedding cannot be inverted.')
    rows.splice(rows.indexOf(pivot), 1)
    rows.splice(
      column,
      0,
      pivot.map((value) => value / scale),
    )
    rows.forEach((row, i) => {
      const factor = at(row, column)
      const own = rows[column]
      if (i === column || factor === 0) return
      for (let j = 0; j < row.length; j++) row[j] = at(row, j) - factor * at(own, j)
    })
  }
  return rows.map((row) => row.slice(size))
}

/**
 * Computes the cosine of the angle between two vectors, which is 1 for the same direction. Sums run in float64; a zero vector gives 0. Throws
 * RangeError for vectors of different lengths.
 */
export function cosineSimilarity(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length)
    throw new RangeError(`Vectors of ${a.length} and ${b.length} numbers cannot be compared.`)
  let product = 0
  let squareA = 0
  let squareB = 0
  for (let i = 0; i < a.length; i++) {
    product += a[i] * b[i]
    squareA += a[i] * a[i]
    squareB += b[i] * b[i]
  }
  const lengths = Math.sqrt(squareA * squareB)
  return lengths === 0 ? 0 : product / lengths
}

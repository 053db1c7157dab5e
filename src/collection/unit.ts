/** Gives vectors length 1, as embeddings are kept. */

/** Throws RangeError for a vector that has no length, or an endless one. */
export function unit(vector: Float32Array): Float32Array {
  const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0))
  if (length > 0 && Number.isFinite(length)) return vector.map((value) => value / length)
  throw new RangeError(`A vector of length ${length} has no direction to be compared.`)
}

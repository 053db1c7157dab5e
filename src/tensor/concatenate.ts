/** Copies the parts into one array, one behind the other: matrices of equal width end up one below the other. */
export function concatenate(parts: readonly Float32Array[]): Float32Array {
  const out = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const values of parts) {
    out.set(values, at)
    at += values.length
  }
  return out
}

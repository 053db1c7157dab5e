/** Adds element by element in float32. Throws a `RangeError` where one array is longer. */
export function add(a: Float32Array, b: Float32Array): Float32Array {
  if (a.length !== b.length) throw new RangeError(`${a.length} elements cannot be added to ${b.length}.`)
  const out = new Float32Array(a.length)
  for (let i = 0; i < a.length; i++) out[i] = a[i] + b[i]
  return out
}

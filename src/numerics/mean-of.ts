/** Computes the mean of arrays of one length, place by place. Sums run in float64 and are rounded once, at the end. */
export function meanOf(arrays: readonly Float32Array[]): Float32Array {
  const sums = new Float64Array(arrays.length === 0 ? 0 : arrays[0].length)
  for (const values of arrays) {
    if (values.length !== sums.length)
      throw new RangeError(`Arrays of ${sums.length} and ${values.length} numbers have no mean.`)
    for (let i = 0; i < sums.length; i++) sums[i] += values[i] / arrays.length
  }
  return Float32Array.from(sums)
}

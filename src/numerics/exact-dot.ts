/**
 * Multiplies in float64, in an order that the native kernels have too (`dotHalves` of native/src/features-impl.h): the products of a half with a float32 are
 * exact, so that everybody who adds them up in this order gets the same number, to the last bit.
 */

const LANES = 16
/** Nothing waits between its first and its last use. */
const sums = new Float64Array(LANES)

/** Multiplies `width` numbers of `query` with as many of `row`, which were halves. */
export function exactDot(
  query: Float32Array,
  atQuery: number,
  row: Float32Array,
  atRow: number,
  width: number,
): number {
  sums.fill(0)
  for (let i = 0; i < width; i++) sums[i & (LANES - 1)] += query[atQuery + i] * row[atRow + i]
  for (let half = LANES / 2; half > 0; half >>= 1)
    for (let lane = 0; lane < half; lane++) sums[lane] += sums[lane + half]
  return sums[0]
}

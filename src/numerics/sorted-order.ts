/** Says in which order numbers rise, by a radix sort: of millions of edges, comparisons would take many times as long. */

const BITS = 11
const BUCKETS = 1 << BITS

/** Gives the places of `values`, least first; of equal ones the earlier. Values are 0 or more, infinities with them, and no NaN. */
export function sortedOrder(values: Float32Array): Uint32Array {
  // The bits of floats that are not negative rise as whole numbers do.
  const keys = new Uint32Array(values.buffer, values.byteOffset, values.length)
  let order = Uint32Array.from({ length: values.length }, (_, i) => i)
  let next = new Uint32Array(values.length)
  for (let shift = 0; shift < 32; shift += BITS) {
    const starts = new Uint32Array(BUCKETS + 1)
    for (let i = 0; i < keys.length; i++) starts[((keys[i] >>> shift) & (BUCKETS - 1)) + 1]++
    for (let bucket = 0; bucket < BUCKETS; bucket++) starts[bucket + 1] += starts[bucket]
    for (let i = 0; i < order.length; i++)
      next[starts[(keys[order[i]] >>> shift) & (BUCKETS - 1)]++] = order[i]
    ;[order, next] = [next, order]
  }
  return order
}

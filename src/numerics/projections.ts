/** Says where rows lie along directions, and how far they reach. */

/** Holds directions and where they begin. */
export interface Directions {
  /** [D]. It is subtracted before projecting. */
  readonly mean: Float64Array
  /** [K, D] */
  readonly components: Float64Array
}

/** Gives where each of `rows` [N, D] lies along each direction, [N, K]. */
export function projectRows(rows: Float32Array, { mean, components }: Directions): Float64Array {
  const width = mean.length
  const count = components.length / width
  const out = new Float64Array((rows.length / width) * count)
  const centred = new Float64Array(width)
  for (let at = 0, to = 0; at < rows.length; at += width) {
    for (let i = 0; i < width; i++) centred[i] = rows[at + i] - mean[i]
    for (let from = 0; from < components.length; from += width, to++) {
      let sum = 0
      for (let i = 0; i < width; i++) sum += centred[i] * components[from + i]
      out[to] = sum
    }
  }
  return out
}

export interface Range {
  /** [K] */
  readonly low: Float64Array
  /** [K] */
  readonly high: Float64Array
}

/** Finds how far values [N, K], which lie in blocks, reach in each of K columns, without the given share of them at either end. */
export function columnRanges(blocks: readonly Float64Array[], columns: number, cut: number): Range {
  const low = new Float64Array(columns)
  const high = new Float64Array(columns)
  const count = blocks.reduce((sum, { length }) => sum + length, 0) / columns
  const first = Math.floor(cut * count)
  for (let k = 0; k < columns; k++) {
    const values = new Float64Array(count)
    let to = 0
    for (const block of blocks) for (let at = k; at < block.length; at += columns) values[to++] = block[at]
    values.sort()
    low[k] = values[first]
    high[k] = values[count - 1 - first]
  }
  return { low, high }
}

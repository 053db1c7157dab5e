/** Says where rows lie along directions, and how far they reach. */
import { concatenate } from '../tensor/concatenate.js'
import { dot } from './dot.js'
import type { ProductOptions, Products } from './products.js'

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
    for (let from = 0; from < components.length; from += width, to++)
      out[to] = dot(centred, 0, components, from, width)
  }
  return out
}

/**
 * Gives the same for many rows, which lie in blocks, by products that may be in float32: [K, N] for each block. It is for what is said of all rows together;
 * what is said of one is `projectRows`, which does not depend on who computes.
 */
export async function projectBlocks(
  blocks: readonly Float32Array[],
  { mean, components }: Directions,
  { products, signal }: ProductOptions & { readonly products: Products },
): Promise<readonly Float32Array[]> {
  const width = mean.length
  const count = components.length / width
  const directions = Float32Array.from(components)
  const found: Float32Array[] = []
  for (const block of blocks) {
    const rows = block.length / width
    if (rows === 0) continue
    const alongs = await products.similarity(directions, block, width, { signal })
    for (let k = 0; k < count; k++) {
      const offset = dot(mean, 0, components, k * width, width)
      for (let i = k * rows; i < (k + 1) * rows; i++) alongs[i] -= offset
    }
    found.push(alongs)
  }
  return found
}

export interface Range {
  /** [K] */
  readonly low: Float64Array
  /** [K] */
  readonly high: Float64Array
}

/** Finds how far what `projectBlocks` gives reaches along each of K directions, without the given share of the rows at either end. */
export function projectedRange(alongs: readonly Float32Array[], directions: number, cut: number): Range {
  const low = new Float64Array(directions)
  const high = new Float64Array(directions)
  for (let k = 0; k < directions; k++) {
    const own = alongs.map((along) => {
      const rows = along.length / directions
      return along.subarray(k * rows, (k + 1) * rows)
    })
    const values = concatenate(own).sort()
    const first = Math.floor(cut * values.length)
    low[k] = values[first]
    high[k] = values[values.length - 1 - first]
  }
  return { low, high }
}

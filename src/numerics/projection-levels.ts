/** Turns where rows lie along principal components into levels from 0 to 255. */
import { type PrincipalComponents, projectRow } from './principal-components.js'

export interface ProjectionRange {
  /** [K]. This becomes 0. */
  readonly low: Float64Array
  /** [K]. This becomes 255. */
  readonly high: Float64Array
}

/** Finds the range of `rows` [N, D] along each component, without the given share of them at either end. */
export function projectionRange(
  rows: Float32Array,
  found: PrincipalComponents,
  cut: number,
): ProjectionRange {
  const width = found.mean.length
  const count = rows.length / width
  const components = found.variances.length
  const projected = Array.from({ length: components }, () => new Float64Array(count))
  const out = new Float64Array(components)
  for (let row = 0; row < count; row++) {
    projectRow(rows.subarray(row * width, (row + 1) * width), found, out)
    for (let k = 0; k < components; k++) projected[k][row] = out[k]
  }
  for (const values of projected) values.sort()
  const first = Math.floor(cut * count)
  return {
    low: Float64Array.from(projected, (values) => values[first]),
    high: Float64Array.from(projected, (values) => values[count - 1 - first]),
  }
}

/** Gives each of `rows` [N, D] a level along each component, uint8 [N, K]; where a range is empty, it is the middle one. */
export function projectionLevels(
  rows: Float32Array,
  found: PrincipalComponents,
  { low, high }: ProjectionRange,
): Uint8Array {
  const width = found.mean.length
  const count = rows.length / width
  const components = low.length
  const levels = new Uint8Array(count * components)
  const out = new Float64Array(components)
  for (let row = 0; row < count; row++) {
    projectRow(rows.subarray(row * width, (row + 1) * width), found, out)
    for (let k = 0; k < components; k++) {
      const range = high[k] - low[k]
      const share = range > 0 ? (out[k] - low[k]) / range : 0.5
      levels[row * components + k] = Math.round(255 * Math.min(1, Math.max(0, share)))
    }
  }
  return levels
}

/**
 * Makes the tables of relative positions that attention adds to its scores. Networks learn them for the offsets of their trained grid, and libraries
 * resample them for another in ways of their own, so the way is data of the network.
 */
import type { Constant } from '../engine/plan.js'
import { bilinearTaps, resampleTable } from '../kernels/resample-table.js'
import type { PatchGrid } from './positions.js'

/** Says where the bias of a network's attention comes from. */
export interface BiasRule {
  /** `table` is stored for each offset (BEiT); */
  readonly kind: 'table'
  /** Tells whether all blocks share one table. */
  readonly isShared: boolean
  /** Counts the rows of the trained grid. */
  readonly rows: number
  /** Counts its columns. */
  readonly columns: number
  /** Says how the library that wrote the file resamples it for another grid. */
  readonly rule: 'bilinear'
}

/** Counts the rows of a stored table: one for each offset, and three for the class token. */
export function biasRows({ rows, columns }: PatchGrid): number {
  return (2 * rows - 1) * (2 * columns - 1) + 3
}

/** Makes of a stored table [rows, H] the constant [H, rows] of a grid. */
export function biasTable(rule: BiasRule, stored: Float32Array, heads: number, grid: PatchGrid): Constant {
  const from: readonly [number, number] = [2 * rule.rows - 1, 2 * rule.columns - 1]
  const to: readonly [number, number] = [2 * grid.rows - 1, 2 * grid.columns - 1]
  const offsets = from[0] * from[1]
  const learnt = stored.subarray(0, offsets * heads)
  const isSame = from[0] === to[0] && from[1] === to[1]
  const resampled = isSame
    ? learnt
    : resampleTable(learnt, from, bilinearTaps(from[0], to[0]), bilinearTaps(from[1], to[1]))
  const rows = biasRows(grid)
  const special = stored.subarray(offsets * heads)
  const values = new Float32Array(heads * rows)
  for (let row = 0; row < rows; row++) {
    const [source, at] = row < rows - 3 ? [resampled, row] : [special, row - (rows - 3)]
    for (let h = 0; h < heads; h++) values[h * rows + row] = source[at * heads + h] ?? Number.NaN
  }
  return { shape: [heads, rows], values }
}

/**
 * Makes the tables of relative positions that attention adds to its scores. Networks learn them for the offsets of their trained grid, and libraries
 * resample them for another in ways of their own, so the way is data of the network.
 */
import type { Constant } from '../engine/plan.js'
import { bilinearTaps, progressionTaps, resampleTable } from '../kernels/resample-table.js'
import type { PatchGrid } from './positions.js'

/** Says where the bias of a network's attention comes from. */
export interface BiasRule {
  /**
   * `table` is stored for each offset (BEiT); `mlp` is made of each offset by a net of two layers, which takes sign(o) * ln(1 + |o|) of both axes, so that it
   * fits any grid, and tells nothing of special tokens (timm).
   */
  readonly kind: 'table' | 'mlp'
  /** Tells whether all blocks share one table. */
  readonly isShared: boolean
  /** Counts the rows of the trained grid. */
  readonly rows: number
  /** Counts its columns. */
  readonly columns: number
  /**
   * Says how the library that wrote the file resamples a table for another grid: `bilinear` as one resamples an image (transformers), `progression` between
   * places that grow further apart from the middle on by a constant factor (timm).
   */
  readonly rule: 'bilinear' | 'progression'
}

/** Counts the rows of a stored table: one for each offset, and three for the class token. */
export function biasRows({ rows, columns }: PatchGrid): number {
  return (2 * rows - 1) * (2 * columns - 1) + 3
}

/**
 * Makes of what is stored the constant [H, rows] of a grid: of a table [rows, H], or of a net's first matrix [hidden, 2], its bias, the second matrix
 * [H, hidden] and its bias, one after the other.
 */
export function biasTable(rule: BiasRule, stored: Float32Array, heads: number, grid: PatchGrid): Constant {
  if (rule.kind === 'mlp') return biasOfOffsets(stored, heads, grid)
  const from: readonly [number, number] = [2 * rule.rows - 1, 2 * rule.columns - 1]
  const to: readonly [number, number] = [2 * grid.rows - 1, 2 * grid.columns - 1]
  const offsets = from[0] * from[1]
  const learnt = stored.subarray(0, offsets * heads)
  const isSame = from[0] === to[0] && from[1] === to[1]
  const resampled = isSame
    ? learnt
    : resampleTable(learnt, from, TAPS[rule.rule](from[0], to[0]), TAPS[rule.rule](from[1], to[1]))
  const rows = biasRows(grid)
  const special = stored.subarray(offsets * heads)
  const values = new Float32Array(heads * rows)
  for (let row = 0; row < rows; row++) {
    const [source, at] = row < rows - 3 ? [resampled, row] : [special, row - (rows - 3)]
    for (let h = 0; h < heads; h++) values[h * rows + row] = source[at * heads + h] ?? Number.NaN
  }
  return { shape: [heads, rows], values }
}

const TAPS = {
  bilinear: (oldSize: number, newSize: number) => bilinearTaps(oldSize, newSize),
  progression: progressionTaps,
} as const

/** The three rows for special tokens stay zeros. */
function biasOfOffsets(net: Float32Array, heads: number, grid: PatchGrid): Constant {
  const hidden = (net.length - heads) / (3 + heads)
  const [bias1, weight2, bias2] = [2 * hidden, 3 * hidden, (3 + heads) * hidden]
  const value = (at: number): number => net[at] ?? Number.NaN
  const rows = biasRows(grid)
  const values = new Float32Array(heads * rows)
  const wide = 2 * grid.columns - 1
  for (let row = 0; row < rows - 3; row++) {
    const y = logOffset(Math.floor(row / wide) - (grid.rows - 1))
    const x = logOffset((row % wide) - (grid.columns - 1))
    const inner = Float64Array.from({ length: hidden }, (_, k) =>
      Math.max(value(2 * k) * y + value(2 * k + 1) * x + value(bias1 + k), 0),
    )
    for (let h = 0; h < heads; h++) {
      values[h * rows + row] = inner.reduce(
        (sum, one, k) => sum + one * value(weight2 + h * hidden + k),
        value(bias2 + h),
      )
    }
  }
  return { shape: [heads, rows], values }
}

function logOffset(offset: number): number {
  return Math.fround(Math.sign(offset) * Math.log(1 + Math.abs(offset)))
}

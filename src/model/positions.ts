/**
 * Resamples position tables for another patch grid. Libraries disagree about how to do it, so the rule is data of the checkpoint (position-rule.ts).
 */
import {
  antialiasTaps,
  bilinearTaps,
  plainTaps,
  resampleTable,
  type Taps,
  triangleTaps,
} from '../kernels/resample-table.js'
import type { PositionRule } from './position-rule.js'

export type { PositionRule } from './position-rule.js'

interface Resampling {
  readonly taps: (oldSize: number, newSize: number) => Taps
  /** Resamples to a square of the longer side and takes its first rows and columns. */
  readonly isSquare?: boolean
}

const RESAMPLINGS: Readonly<Record<Exclude<PositionRule, 'fixed'>, Resampling>> = {
  antialias: { taps: antialiasTaps },
  bicubic: { taps: (oldSize, newSize) => plainTaps(oldSize, newSize) },
  'bicubic-offset': { taps: (oldSize, newSize) => plainTaps(oldSize, newSize, oldSize / (newSize + 0.1)) },
  bilinear: { taps: (oldSize, newSize) => bilinearTaps(oldSize, newSize) },
  'bilinear-antialias': { taps: triangleTaps },
  'bilinear-square': { taps: (oldSize, newSize) => bilinearTaps(oldSize, newSize), isSquare: true },
  'bilinear-square-corners': {
    taps: (oldSize, newSize) => bilinearTaps(oldSize, newSize, true),
    isSquare: true,
  },
}

/** Counts the patches of an image. */
export interface PatchGrid {
  /** Counts them from top to bottom. */
  readonly rows: number
  /** Counts them from left to right. */
  readonly columns: number
}

/**
 * Resamples a position table for another grid. The formula is applied even where the grids are equal, which libraries do not. Throws RangeError for the
 * rule `fixed`.
 *
 * @param table float32 [from.rows * from.columns, D]
 * @returns float32 [to.rows * to.columns, D]
 */
export function resamplePositions(
  table: Float32Array,
  from: PatchGrid,
  to: PatchGrid,
  rule: PositionRule,
): Float32Array {
  if (rule === 'fixed')
    throw new RangeError(
      `These positions are of ${from.rows} x ${from.columns} patches alone, and are not resampled.`,
    )
  const { taps, isSquare = false } = RESAMPLINGS[rule]
  const longer = Math.max(to.rows, to.columns)
  const [rows, columns] = isSquare ? [longer, longer] : [to.rows, to.columns]
  return resampleTable(
    table,
    [from.rows, from.columns],
    firstTaps(taps(from.rows, rows), to.rows),
    firstTaps(taps(from.columns, columns), to.columns),
  )
}

function firstTaps({ indices, weights }: Taps, count: number): Taps {
  return { indices: indices.slice(0, count), weights: weights.slice(0, count) }
}

/** Gives the table for a grid: as stored where the grids are equal, resampled elsewhere. */
export function positionsFor(
  table: Float32Array,
  from: PatchGrid,
  to: PatchGrid,
  rule: PositionRule,
): Float32Array {
  if (from.rows === to.rows && from.columns === to.columns) return table
  return resamplePositions(table, from, to, rule)
}

/**
 * Resamples position tables for another patch grid. Libraries disagree about how to do it, so the rule is data of the checkpoint (position-rule.ts).
 */
import { antialiasTaps, plainTaps, resampleTable, type Taps } from '../kernels/resample-table.js'
import type { PositionRule } from './position-rule.js'

export type { PositionRule } from './position-rule.js'

const TAPS: Readonly<Record<PositionRule, (oldSize: number, newSize: number) => Taps>> = {
  antialias: antialiasTaps,
  bicubic: (oldSize, newSize) => plainTaps(oldSize, newSize),
  'bicubic-offset': (oldSize, newSize) => plainTaps(oldSize, newSize, oldSize / (newSize + 0.1)),
}

/** Counts the patches of an image. */
export interface PatchGrid {
  /** Counts them from top to bottom. */
  readonly rows: number
  /** Counts them from left to right. */
  readonly columns: number
}

/**
 * Resamples a position table for another grid. The formula is applied even where the grids are equal, which libraries do not.
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
  return resampleTable(
    table,
    [from.rows, from.columns],
    TAPS[rule](from.rows, to.rows),
    TAPS[rule](from.columns, to.columns),
  )
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

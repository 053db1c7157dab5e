/**
 * Resamples position tables for another patch grid. Libraries disagree about how to do it, so the rule is data of the checkpoint.
 *
 * - `antialias` is antialiased bicubic, by size: Birder `adjust_size`, timm, Facebook and Hugging Face for models with registers.
 * - `bicubic` is plain bicubic, by size: Birder `set_dynamic_size`, Hugging Face for models without registers.
 * - `bicubic-offset` is plain bicubic, by the scale factor (new + 0.1) / old: Facebook for models without registers.
 */
import { antialiasTaps, plainTaps, resampleTable, type Taps } from '../kernels/resample-table.js'

export type PositionRule = 'antialias' | 'bicubic' | 'bicubic-offset'

export const POSITION_RULES: readonly PositionRule[] = ['antialias', 'bicubic', 'bicubic-offset']

const TAPS: Readonly<Record<PositionRule, (oldSize: number, newSize: number) => Taps>> = {
  antialias: antialiasTaps,
  bicubic: (oldSize, newSize) => plainTaps(oldSize, newSize),
  'bicubic-offset': (oldSize, newSize) => plainTaps(oldSize, newSize, oldSize / (newSize + 0.1)),
}

export interface PatchGrid {
  readonly rows: number
  readonly columns: number
}

/** Applies the formula even where the grids are equal, which libraries do not. @param table float32 [rows * columns, D] */
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

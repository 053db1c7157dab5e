/**
 * Position tables for another patch grid. Libraries disagree about how to resample them, so the rule is data of the checkpoint.
 *
 * - `antialias`: antialiased bicubic, by size. Birder `adjust_size`, timm, Facebook and Hugging Face for models with registers.
 * - `bicubic`: plain bicubic, by size. Birder `set_dynamic_size`, Hugging Face for models without registers.
 * - `bicubic-offset`: plain bicubic, by the scale factor (new + 0.1) / old. Facebook for models without registers.
 */
import { antialiasTaps, plainTaps, resampleTable, type Taps } from '../kernels/resample-table.js'

export type PositionRule = 'antialias' | 'bicubic' | 'bicubic-offset'

export const POSITION_RULES: readonly PositionRule[] = ['antialias', 'bicubic', 'bicubic-offset']

export interface PatchGrid {
  readonly rows: number
  readonly columns: number
}

/** The bare formula; libraries skip it where the grids are equal. @param table float32 [rows * columns, D] */
export function resamplePositions(
  table: Float32Array,
  from: PatchGrid,
  to: PatchGrid,
  rule: PositionRule,
): Float32Array {
  return resampleTable(
    table,
    [from.rows, from.columns],
    tapsFor(from.rows, to.rows, rule),
    tapsFor(from.columns, to.columns, rule),
  )
}

/** The table for a grid: as stored where the grids are equal, resampled elsewhere. */
export function positionsFor(
  table: Float32Array,
  from: PatchGrid,
  to: PatchGrid,
  rule: PositionRule,
): Float32Array {
  if (from.rows === to.rows && from.columns === to.columns) return table
  return resamplePositions(table, from, to, rule)
}

function tapsFor(oldSize: number, newSize: number, rule: PositionRule): Taps {
  switch (rule) {
    case 'antialias':
      return antialiasTaps(oldSize, newSize)
    case 'bicubic':
      return plainTaps(oldSize, newSize)
    case 'bicubic-offset':
      return plainTaps(oldSize, newSize, oldSize / (newSize + 0.1))
  }
}

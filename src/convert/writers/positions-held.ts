/** Says which position tables a layout holds. */
import type { VitConfig } from '../../model/vit-config.js'

/** Holds a table that is learnt, of any grid. */
export function learntTable({ positions }: VitConfig): string | null {
  if (positions === null) return 'no position table, where it has one'
  return positions.sines === undefined ? null : 'positions of sines, where it has learnt ones'
}

/** Holds a learnt table of a square, since the library takes every table for one. */
export function squareTable(config: VitConfig): string | null {
  const reason = learntTable(config)
  const { rows, columns } = config.positions ?? { rows: 0, columns: 0 }
  if (reason !== null || rows === columns) return reason
  return `a position table of ${rows} x ${columns} patches, where it takes every table for a square`
}

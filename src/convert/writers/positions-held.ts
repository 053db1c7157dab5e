/** Says which position tables a layout holds. */
import type { VitConfig } from '../../model/vit-config.js'

/** Holds a table that is learnt, of any grid. */
export function learntTable({ positions, size, patchSize }: VitConfig): string | null {
  if (positions === null) return 'position table: none, where it has one'
  const [rows, columns] = size.map((side) => side / patchSize)
  if (rows !== positions.rows || columns !== positions.columns)
    return `position table: one of ${positions.rows} x ${positions.columns} patches for images of ${rows} x ${columns}`
  return positions.sines === undefined ? null : 'position table: one of sines, where it has a learnt one'
}

/** Holds a learnt table of a square, since the library takes every table for one. */
export function squareTable(config: VitConfig): string | null {
  const reason = learntTable(config)
  const { rows, columns } = config.positions ?? { rows: 0, columns: 0 }
  if (reason !== null || rows === columns) return reason
  return `position table: one of ${rows} x ${columns} patches, where it takes every table for a square`
}

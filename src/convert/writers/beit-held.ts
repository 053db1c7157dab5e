/** Says what both libraries' BEiT holds alike. */
import type { VitConfig } from '../../model/vit-config.js'
import type { ConvertedConfig } from '../told-by-values.js'

/** Queries and values have a bias, or may have one, and keys never do. */
export function biasOfKeys({ keyBias }: ConvertedConfig): string | null {
  return keyBias ? 'bias of keys, which it has none of' : null
}

/** A table of offsets, of the trained grid. */
export function learntBias({ bias, size, patchSize }: VitConfig): string | null {
  if (bias === null) return null
  if (bias.kind !== 'table') return `relative positions: ${bias.kind}, where it has a table`
  const [rows, columns] = size.map((side) => side / patchSize)
  return rows === bias.rows && columns === bias.columns
    ? null
    : `relative positions: a table of ${bias.rows} x ${bias.columns} patches for images of ${rows} x ${columns}`
}

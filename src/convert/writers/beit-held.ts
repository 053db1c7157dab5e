/** Says what both libraries' BEiT holds alike. */
import type { VitConfig } from '../../model/vit-config.js'
import { textOf } from '../holdings.js'
import type { ConvertedConfig } from '../told-by-values.js'

/** Queries and values have a bias, or may have one, and keys never do. */
export function biasOfKeys({ keyBias }: ConvertedConfig): string | null {
  return keyBias ? 'bias of keys, which it has none of' : null
}

/** The last norm is on the mean of the patches, or on all tokens where the class token is taken. */
export function poolingWithNorm({ pooling, finalNorm }: VitConfig): string | null {
  const held = [`${textOf({ kind: 'mean' })} and pooled`, `${textOf({ kind: 'class' })} and tokens`]
  const own = `${textOf(pooling)} and ${finalNorm}`
  return held.includes(own)
    ? null
    : `pooling, and place of the last norm: ${own}, where it has ${held.join(', or ')}`
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

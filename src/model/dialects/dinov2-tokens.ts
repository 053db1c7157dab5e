/** How DINOv2's dialects store what stands in front of the blocks. */
import type { Shape } from '../../tensor/shape.js'
import type { VitConfig } from '../vit-config.js'
import { type StoredWeight, stored, tokenWithPositions } from './dialect.js'

/** The class token, with row 0 of the position table added where the table has a row for it. */
export function classTokenSource(
  token: string,
  table: string,
  shape: Shape,
  config: VitConfig,
): StoredWeight {
  const { positions, width } = config
  if (positions === null || !positions.specialRows) return stored(token, [1, ...shape])
  const rows = positions.rows * positions.columns + 1
  return tokenWithPositions(
    { tensor: token, shape: [1, ...shape] },
    { tensor: table, shape: [1, rows, width] },
    0,
  )
}

/** The patch convolution's kernel, [D, C, P, P]; as a matrix its rows are already in order. */
export function stemWeight(tensor: string, shape: Shape, config: VitConfig): StoredWeight {
  return stored(tensor, [shape[0], config.channels, config.patchSize, config.patchSize])
}

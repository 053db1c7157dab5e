/** Takes what hangs together out of a mask of patches. */
import type { Box } from '../image/image.js'
import { connectedParts } from '../numerics/connected-parts.js'

/** Is a part of a mask. */
export interface MaskPart {
  /** [rows * columns] has 1 for each patch of the part and 0 for others. */
  readonly mask: Uint8Array
  /** Bounds the part, in patches: the columns `left <= column < right` of the rows `top <= row < bottom`. */
  readonly box: Box
}

/**
 * Gives the largest part of a mask [rows * columns] whose patches hang together by their sides; of equally large ones the first, row by row. Gives null where the
 * mask is 0 everywhere.
 */
export function largestPart(mask: Uint8Array, columns: number): MaskPart | null {
  const { part, sizes } = connectedParts(mask, columns)
  if (sizes.length === 0) return null
  const largest = sizes.indexOf(Math.max(...sizes)) + 1
  const own = Uint8Array.from(part, (one) => (one === largest ? 1 : 0))
  return { mask: own, box: boxOf(own, columns) }
}

function boxOf(mask: Uint8Array, columns: number): Box {
  let [top, left, bottom, right] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, 0, 0]
  for (const [cell, isObject] of mask.entries()) {
    if (isObject === 0) continue
    const [row, column] = [Math.floor(cell / columns), cell % columns]
    top = Math.min(top, row)
    left = Math.min(left, column)
    bottom = Math.max(bottom, row + 1)
    right = Math.max(right, column + 1)
  }
  return { top, left, bottom, right }
}

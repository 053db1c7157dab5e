/**
 * Bicubic resizing of 8-bit images, bit for bit as Pillow does it, and as torch does it on uint8 tensors.
 *
 * Both are separable and antialiased: Keys' cubic with a = -0.5, widened by the scale when shrinking, cut off at the border and
 * renormalised. Both compute weights in float64 and sum in fixed point, and round to 8 bits after each pass, so the order of the passes
 * shows. They differ in the width of the fixed point, and Pillow's versions in the order:
 *
 * - Pillow: 22 bits after the point. To 12.1 the horizontal pass goes first; from 13.0 the vertical one does where it takes away more than
 *   twice as many rows as the other takes columns.
 * - torch: weights in int16, with as many bits after the point as the axis' largest weight leaves; the horizontal pass first.
 */

/** `pillow-13`: vertical first where the height shrinks by far more. `horizontal-first`: Pillow up to 12.1. */
export type PassOrder = 'pillow-13' | 'horizontal-first'

type Size = readonly [height: number, width: number]

export interface PillowOptions {
  readonly order?: PassOrder
  /** Values per pixel; default 3. */
  readonly channels?: 1 | 3
}

/** uint8 [height, width, channels] to [newHeight, newWidth, channels]; the input itself where no side changes. */
export function resamplePillow(
  data: Uint8Array,
  [height, width]: Size,
  [newHeight, newWidth]: Size,
  { order = 'pillow-13', channels = 3 }: PillowOptions = {},
): Uint8Array {
  const horizontal = pass(data.length > 0 ? width : 0, newWidth, pillowTaps)
  const vertical = pass(height, newHeight, pillowTaps)
  const rowsGone = Math.max(0, height - newHeight)
  const columnsGone = Math.max(0, width - newWidth)
  if (order === 'pillow-13' && rowsGone > 2 * columnsGone) {
    return alongRows(alongColumns(data, width * channels, vertical), newHeight, channels, horizontal)
  }
  return alongColumns(alongRows(data, height, channels, horizontal), newWidth * channels, vertical)
}

/** The same for torch's `interpolate(mode='bicubic', antialias=True)` on a uint8 tensor. [height, width, 3] like the above. */
export function resampleTorch(
  data: Uint8Array,
  [height, width]: Size,
  [newHeight, newWidth]: Size,
): Uint8Array {
  const wide = alongRows(data, height, 3, pass(width, newWidth, torchTaps))
  return alongColumns(wide, newWidth * 3, pass(height, newHeight, torchTaps))
}

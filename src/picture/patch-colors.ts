/** Shows patches as colours, with three principal components as red, green and blue (Oquab et al., DINOv2, figure 1). Like things look alike. */
import type { RgbImage } from '../image/image.js'
import type { PatchGrid } from '../model/positions.js'
import { type PrincipalComponents, principalComponents } from '../numerics/principal-components.js'
import { projectionLevels, projectionRange } from '../numerics/projection-levels.js'

/** Holds the patches of an image, as `Features` does: [rows * columns, D], row by row. */
export interface PatchMap {
  /** float32 [rows * columns, D]. */
  readonly patches: Float32Array
  /** Counts rows and columns of the patches. */
  readonly grid: PatchGrid
}

/** Says how patches become colours; fitted to several images, a colour means the same in all of them. */
export interface PatchColors extends PrincipalComponents {
  /** [3]. This becomes 0. */
  readonly low: Float64Array
  /** [3]. This becomes 255. */
  readonly high: Float64Array
}

/** A hundredth at each end is cut off: single odd patches would leave little contrast to the others. */
const CUT = 0.01

/** Fits colours to all patches of some images. Throws RangeError where there are none, or of different widths. */
export function fitPatchColors(maps: readonly PatchMap[]): PatchColors {
  const [first] = maps
  if (first === undefined) throw new RangeError('There are no patches to fit colours to.')
  const width = widthOf(first)
  const rows = new Float32Array(maps.reduce((sum, { patches }) => sum + patches.length, 0))
  let at = 0
  for (const map of maps) {
    if (widthOf(map) !== width)
      throw new RangeError(`Patches of ${width} and of ${widthOf(map)} numbers have no colours in common.`)
    rows.set(map.patches, at)
    at += map.patches.length
  }
  if (rows.length === 0) throw new RangeError('There are no patches to fit colours to.')
  const found = principalComponents(rows, width, 3)
  const { low, high } = projectionRange(rows, found, CUT)
  return { ...found, low, high }
}

/** Makes a picture with one pixel per patch. Throws RangeError for patches of another width than the colours are for. */
export function colorPatches(map: PatchMap, colors: PatchColors): RgbImage {
  const { rows, columns } = map.grid
  const width = widthOf(map)
  if (width !== colors.mean.length)
    throw new RangeError(`The colours are for patches of ${colors.mean.length} numbers, not of ${width}.`)
  return { height: rows, width: columns, data: projectionLevels(map.patches, colors, colors) }
}

function widthOf({ patches, grid }: PatchMap): number {
  return patches.length / (grid.rows * grid.columns)
}

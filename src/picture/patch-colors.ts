/** Patches as colours: three principal components as red, green and blue (Oquab et al., DINOv2, figure 1). Like things look alike. */
import type { RgbImage } from '../image/image.js'
import type { PatchGrid } from '../model/positions.js'
import {
  type PrincipalComponents,
  principalComponents,
  projectRow,
} from '../numerics/principal-components.js'

/** What `Features` has: patches [rows * columns, D], row by row. */
export interface PatchMap {
  readonly patches: Float32Array
  readonly grid: PatchGrid
}

/** From patches to colours; fitted to several images, a colour means the same in all of them. */
export interface PatchColors extends PrincipalComponents {
  /** [3] what becomes 0 and what becomes 255. */
  readonly low: Float64Array
  readonly high: Float64Array
}

/** A hundredth at each end is cut off: single odd patches would leave little contrast to the others. */
const CUT = 0.01

/** Fits colours to all patches of some images. Throws RangeError where there are none, or of different widths. */
export function fitPatchColors(maps: readonly PatchMap[]): PatchColors {
  const width = maps.length === 0 ? 0 : widthOf(maps[0])
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
  const count = rows.length / width
  const projected = [0, 1, 2].map(() => new Float64Array(count))
  const out = new Float64Array(3)
  for (let row = 0; row < count; row++) {
    projectRow(rows.subarray(row * width, (row + 1) * width), found, out)
    for (const [k, values] of projected.entries()) values[row] = out[k]
  }
  for (const values of projected) values.sort()
  const cut = Math.floor(CUT * count)
  return {
    ...found,
    low: Float64Array.from(projected, (values) => values[cut]),
    high: Float64Array.from(projected, (values) => values[count - 1 - cut]),
  }
}

/** A picture with one pixel per patch. */
export function colorPatches(map: PatchMap, colors: PatchColors): RgbImage {
  const { rows, columns } = map.grid
  const width = widthOf(map)
  if (width !== colors.mean.length)
    throw new RangeError(`The colours are for patches of ${colors.mean.length} numbers, not of ${width}.`)
  const data = new Uint8Array(rows * columns * 3)
  const out = new Float64Array(3)
  for (let patch = 0; patch < rows * columns; patch++) {
    projectRow(map.patches.subarray(patch * width, (patch + 1) * width), colors, out)
    for (let k = 0; k < 3; k++) {
      const range = colors.high[k] - colors.low[k]
      const share = range > 0 ? (out[k] - colors.low[k]) / range : 0.5
      data[patch * 3 + k] = Math.round(255 * Math.min(1, Math.max(0, share)))
    }
  }
  return { height: rows, width: columns, data }
}

function widthOf({ patches, grid }: PatchMap): number {
  return patches.length / (grid.rows * grid.columns)
}

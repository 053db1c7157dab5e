/**
 * Finds for every pixel of a photo the patch that saw it. Recipes squash, crop and pad, and all of them keep rows and columns straight, so that the first
 * and the last patch's boxes say where all lie.
 */
import type { Box, RgbImage } from '../../image/image.js'
import type { Placed } from '../patches-at.js'
import type { Point } from './draw-lines.js'

/** Says which patch each row and column of a drawn photo belongs to. */
export interface PixelPlaces {
  /** int32 [height]: the row of patches; -1 where the network has seen nothing. */
  readonly rows: Int32Array
  /** int32 [width]: the column of patches; -1 where the network has seen nothing. */
  readonly columns: Int32Array
}

/** @param photo is the photo at any scale: what counts are the shares of its sides */
export function pixelPlaces({ height, width }: RgbImage, placed: Placed): PixelPlaces {
  const [rowAt, columnAt] = findersOf(placed)
  const [imageHeight, imageWidth] = placed.imageSize
  const places = (pixels: number, side: number, find: Finder) =>
    Int32Array.from({ length: pixels }, (_, pixel) => find(((pixel + 0.5) / pixels) * side))
  return { rows: places(height, imageHeight, rowAt), columns: places(width, imageWidth, columnAt) }
}

/** Gives the middle of a patch, by its number row by row, in the pixels of a drawn photo. */
export function patchMiddle({ height, width }: RgbImage, placed: Placed, patch: number): Point {
  const { columns } = placed.grid
  const { top, left, bottom, right } = placed.patchBox(Math.floor(patch / columns), patch % columns)
  const [imageHeight, imageWidth] = placed.imageSize
  return { x: (((left + right) / 2) * width) / imageWidth, y: (((top + bottom) / 2) * height) / imageHeight }
}

/** Brings a point from the photo's own pixels to those of a drawn photo. */
export function pointOn({ height, width }: RgbImage, { imageSize }: Placed, { x, y }: Point): Point {
  return { x: (x * width) / imageSize[1], y: (y * height) / imageSize[0] }
}

/** Brings a box from the photo's own pixels to those of a drawn photo. */
export function boxOn({ height, width }: RgbImage, placed: Pick<Placed, 'imageSize'>, box: Box): Box {
  const [scaleY, scaleX] = [height / placed.imageSize[0], width / placed.imageSize[1]]
  return {
    top: box.top * scaleY,
    left: box.left * scaleX,
    bottom: box.bottom * scaleY,
    right: box.right * scaleX,
  }
}

/** Gives the row, or the column, of a place in the photo; -1 where there is none. */
type Finder = (at: number) => number

function findersOf({ grid, patchBox }: Placed): readonly [rowAt: Finder, columnAt: Finder] {
  const first = patchBox(0, 0)
  const last = patchBox(grid.rows - 1, grid.columns - 1)
  return [
    finder(grid.rows, [first.top, first.bottom], [last.top, last.bottom]),
    finder(grid.columns, [first.left, first.right], [last.left, last.right]),
  ]
}

type Span = readonly [start: number, end: number]

/** Patches may overlap: a place belongs to the one whose middle is nearest. */
function finder(count: number, first: Span, last: Span): Finder {
  const middle = (first[0] + first[1]) / 2
  const pitch = count > 1 ? (last[0] - first[0]) / (count - 1) : first[1] - first[0]
  return (at) => {
    if (at < first[0] || at >= last[1]) return -1
    return Math.min(count - 1, Math.max(0, Math.floor((at - middle) / pitch + 0.5)))
  }
}

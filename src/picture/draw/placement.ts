/**
 * Finds for every pixel of a photo the patch that saw it. Recipes squash, crop and pad, and all of them keep rows and columns straight, so that the first
 * and the last patch's boxes say where all lie.
 */
import type { Box, RgbImage } from '../../image/image.js'
import type { PixelAxes } from '../../numerics/upsample-grid.js'
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
export function pixelPlaces(photo: RgbImage, placed: Placed): PixelPlaces {
  const { rows, columns } = placed.grid
  const { down, across } = placesOnGrid(photo, placed)
  const nearest = (places: Float64Array, count: number) =>
    Int32Array.from(places, (place) =>
      Number.isNaN(place) ? -1 : Math.min(count - 1, Math.max(0, Math.floor(place + 0.5))),
    )
  return { rows: nearest(down, rows), columns: nearest(across, columns) }
}

/** Is the part of a drawn photo that the network has seen. */
export interface SeenPixels {
  readonly top: number
  readonly left: number
  /** Places these pixels between the middles of patches. */
  readonly axes: PixelAxes
}

/** @param photo is the photo at any scale */
export function seenPixels(photo: RgbImage, placed: Placed): SeenPixels {
  const { down, across } = placesOnGrid(photo, placed)
  const [top, left] = [firstSeen(down), firstSeen(across)]
  const seen = (places: Float64Array) => places.filter((place) => !Number.isNaN(place))
  return { top, left, axes: { down: seen(down), across: seen(across) } }
}

function firstSeen(places: Float64Array): number {
  return Math.max(
    0,
    places.findIndex((place) => !Number.isNaN(place)),
  )
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

/** Places all pixels of a drawn photo between the middles of patches: 0 is that of the first. Where the network has seen nothing is no number. */
function placesOnGrid({ height, width }: RgbImage, { grid, imageSize, patchBox }: Placed): PixelAxes {
  const first = patchBox(0, 0)
  const last = patchBox(grid.rows - 1, grid.columns - 1)
  const [imageHeight, imageWidth] = imageSize
  const down = { count: grid.rows, first: [first.top, first.bottom], last: [last.top, last.bottom] } as const
  const across = {
    count: grid.columns,
    first: [first.left, first.right],
    last: [last.left, last.right],
  } as const
  return { down: placesAlong(down, height, imageHeight), across: placesAlong(across, width, imageWidth) }
}

type Span = readonly [start: number, end: number]

/** Holds the first and the last patch of one axis; those between them lie evenly, and may overlap. */
interface PatchSpans {
  readonly count: number
  readonly first: Span
  readonly last: Span
}

function placesAlong({ count, first, last }: PatchSpans, pixels: number, side: number): Float64Array {
  const middle = (first[0] + first[1]) / 2
  const pitch = count > 1 ? (last[0] - first[0]) / (count - 1) : first[1] - first[0]
  return Float64Array.from({ length: pixels }, (_, pixel) => {
    const at = ((pixel + 0.5) / pixels) * side
    return at < first[0] || at >= last[1] ? Number.NaN : (at - middle) / pitch
  })
}

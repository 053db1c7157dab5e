/** Reads places in a photo as people give them: in the photo's own pixels, or in hundredths of its sides. */
import { InvalidArgumentError } from 'commander'
import type { Box } from '../../../image/image.js'
import type { Point } from '../../../picture/draw/draw-lines.js'
import { type Place, type Placed, patchesAt } from '../../../picture/patches-at.js'
import { PictureError } from '../../../picture/picture-error.js'
import { UsageError } from '../../cli-error.js'

/** Is a number of pixels, or a share of a side. */
interface Coordinate {
  readonly value: number
  readonly isShare: boolean
}

export interface GivenPlace {
  /** Is what the person wrote. */
  readonly text: string
  readonly coordinates: readonly Coordinate[]
}

type ImageSize = readonly [height: number, width: number]

/** Reads `120,80` or `50%,40%`, for commander. */
export function parsePoint(text: string): GivenPlace {
  return parsed(text, 2, 'x,y in pixels of the photo, such as 120,80, or in hundredths, such as 50%,40%')
}

/** Reads `left,top,right,bottom`, for commander. */
export function parseBox(text: string): GivenPlace {
  return parsed(
    text,
    4,
    'left,top,right,bottom in pixels of the photo, such as 10,20,200,150, or in hundredths, such as 10%,10%,60%,80%',
  )
}

function parsed(text: string, count: number, expected: string): GivenPlace {
  const parts = text.split(',').map((part) => /^\s*(-?\d+(?:\.\d+)?)(%?)\s*$/.exec(part))
  const coordinates = parts.flatMap((part) =>
    part === null ? [] : [{ value: Number(part[1]), isShare: part[2] === '%' }],
  )
  if (coordinates.length === count && parts.length === count) return { text, coordinates }
  throw new InvalidArgumentError(`Expected ${expected}; found ${text}.`)
}

/** Throws `UsageError` where it lies outside of the photo. */
export function pointIn(option: string, place: GivenPlace, size: ImageSize, path: string): Point {
  const [x = 0, y = 0] = pixelsOf(place, size)
  assertInside(option, place, { x, y }, size, path)
  return { x, y }
}

/** Throws `UsageError` where it reaches outside of the photo, or holds nothing. */
export function boxIn(place: GivenPlace, size: ImageSize, path: string): Box {
  const [left = 0, top = 0, right = 0, bottom = 0] = pixelsOf(place, size)
  if (!(right > left && bottom > top)) {
    throw new UsageError(
      `--box ${place.text} holds nothing: expected left,top,right,bottom with left before right and top above bottom.`,
    )
  }
  assertInside('--box', place, { x: left, y: top }, size, path)
  assertInside('--box', place, { x: right - 1, y: bottom - 1 }, size, path)
  return { top, left, bottom, right }
}

function pixelsOf({ coordinates }: GivenPlace, [height, width]: ImageSize): readonly number[] {
  return coordinates.map(({ value, isShare }, index) =>
    isShare ? (value / 100) * (index % 2 === 0 ? width : height) : value,
  )
}

function assertInside(
  option: string,
  { text }: GivenPlace,
  { x, y }: Point,
  [height, width]: ImageSize,
  path: string,
): void {
  if (x >= 0 && y >= 0 && x < width && y < height) return
  throw new UsageError(
    `${option} ${text} lies outside of ${path}, which is ${width} pixels wide and ${height} high.`,
  )
}

/** Gives the numbers of the patches in a place of a photo. Throws `UsageError` that names the option and the photo. */
export function patchesIn(
  option: '--point' | '--box' | '--foreground',
  place: GivenPlace,
  { path, features }: { readonly path: string; readonly features: Placed },
): readonly number[] {
  const { imageSize } = features
  const at = option === '--box' ? boxIn(place, imageSize, path) : pointIn(option, place, imageSize, path)
  return patchesOf(`${option} ${place.text} of ${path}`, features, at)
}

/** Gives the numbers of the patches in a place. Throws `UsageError`, before which stands `what` was given. */
export function patchesOf(what: string, placed: Placed, at: Place): readonly number[] {
  try {
    return patchesAt(placed, at)
  } catch (error) {
    if (!(error instanceof PictureError)) throw error
    throw new UsageError(`${what}: ${error.message}`)
  }
}

/** Finds the patches that have seen a place of a photo, which is given in the photo's own pixels. */
import type { Features } from '../encoder/types.js'
import type { Box } from '../image/image.js'
import { PictureError } from './picture-error.js'

/** Says where patches lie in their photo: `Features` does. */
export type Placed = Pick<Features, 'grid' | 'imageSize' | 'patchBox'>

/** Is a place in a photo's own pixels: a point, a box, or a mask. */
export type Place =
  | {
      /** Counts pixels from the left edge. */
      readonly x: number
      /** Counts pixels from the upper edge. */
      readonly y: number
    }
  | Box
  | {
      /** uint8 [height, width] of the photo: what is not 0 belongs to the place. */
      readonly mask: Uint8Array
    }

/**
 * Gives the numbers of patches, row by row: of a point the one whose middle is nearest among those that have seen it; of a box those whose middle lies in it, or
 * the one of the box's middle where it is smaller than a patch; of a mask those of which at least half belongs to it, or the ones with most of it.
 *
 * Throws `PictureError`: `outside` for what lies outside the photo, or where no patch has seen it because the recipe cropped it away; `nothing-there` for an
 * empty box or mask, or a mask of another size than the photo.
 */
export function patchesAt(placed: Placed, place: Place): readonly number[] {
  if ('mask' in place) return patchesOfMask(placed, place.mask)
  if ('x' in place) return [patchOfPoint(placed, place.x, place.y)]
  return patchesOfBox(placed, place)
}

function patchOfPoint(placed: Placed, x: number, y: number): number {
  const [height, width] = placed.imageSize
  if (!(x >= 0 && y >= 0 && x < width && y < height))
    throw new PictureError(
      'outside',
      `The point (${x}, ${y}) lies outside the photo of ${width} x ${height} pixels; x counts from the left, y from the top.`,
    )
  const holding = boxesOf(placed).filter(
    ({ box }) => x >= box.left && x < box.right && y >= box.top && y < box.bottom,
  )
  const distance = ({ box }: PatchBox) => Math.hypot(...offset(box, x, y))
  const [first, ...others] = holding
  if (first === undefined) throw cropped(`The point (${x}, ${y})`)
  return others.reduce((best, one) => (distance(one) < distance(best) ? one : best), first).patch
}

function patchesOfBox(placed: Placed, box: Box): readonly number[] {
  const [height, width] = placed.imageSize
  if (!(box.left < box.right && box.top < box.bottom))
    throw new PictureError('nothing-there', `The box ${described(box)} is empty.`)
  if (!(box.left >= 0 && box.top >= 0 && box.right <= width && box.bottom <= height))
    throw new PictureError(
      'outside',
      `The box ${described(box)} reaches outside the photo of ${width} x ${height} pixels.`,
    )
  const inside = boxesOf(placed).filter(({ box: own }) => {
    const [x, y] = [(own.left + own.right) / 2, (own.top + own.bottom) / 2]
    return x >= box.left && x < box.right && y >= box.top && y < box.bottom
  })
  if (inside.length > 0) return inside.map(({ patch }) => patch)
  return [patchOfPoint(placed, (box.left + box.right) / 2, (box.top + box.bottom) / 2)]
}

function patchesOfMask(placed: Placed, mask: Uint8Array): readonly number[] {
  const [height, width] = placed.imageSize
  if (mask.length !== height * width)
    throw new PictureError(
      'nothing-there',
      `A mask of ${mask.length} pixels is none of a photo of ${width} x ${height}.`,
    )
  if (mask.every((value) => value === 0)) throw new PictureError('nothing-there', 'The mask is empty.')
  const shares = boxesOf(placed).map(({ patch, box }) => ({
    patch,
    share: shareOf(mask, box, height, width),
  }))
  const most = shares.reduce((best, { share }) => Math.max(best, share), 0)
  if (most === 0) throw cropped('All of the mask')
  return shares.filter(({ share }) => share >= Math.min(0.5, most)).map(({ patch }) => patch)
}

/** Gives the share of a patch's pixels that belong to a mask. */
function shareOf(mask: Uint8Array, box: Box, height: number, width: number): number {
  const [top, bottom] = [Math.max(0, Math.round(box.top)), Math.min(height, Math.round(box.bottom))]
  const [left, right] = [Math.max(0, Math.round(box.left)), Math.min(width, Math.round(box.right))]
  let count = 0
  for (let y = top; y < bottom; y++) for (let x = left; x < right; x++) if (mask[y * width + x] !== 0) count++
  return count / Math.max(1, (bottom - top) * (right - left))
}

interface PatchBox {
  readonly patch: number
  readonly box: Box
}

function boxesOf({ grid, patchBox }: Placed): readonly PatchBox[] {
  return Array.from({ length: grid.rows * grid.columns }, (_, patch) => ({
    patch,
    box: patchBox(Math.floor(patch / grid.columns), patch % grid.columns),
  }))
}

function offset(box: Box, x: number, y: number): [number, number] {
  return [(box.left + box.right) / 2 - x, (box.top + box.bottom) / 2 - y]
}

function described({ left, top, right, bottom }: Box): string {
  return `(${left}, ${top}) to (${right}, ${bottom})`
}

function cropped(what: string): PictureError {
  return new PictureError(
    'outside',
    `${what} lies in a part of the photo that the recipe cropped away: no patch has seen it. Take a recipe that keeps all of the photo.`,
  )
}

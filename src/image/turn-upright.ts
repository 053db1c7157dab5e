/** Applies EXIF orientation to pixels, which is exact: they are laid out anew and none changes. */
import { permutePixels } from '../kernels/permute-pixels.js'
import type { RgbImage } from './image.js'

/** @param orientation is 1 to 8 as EXIF numbers them; anything else leaves the image as it is */
export function turnUpright(image: RgbImage, orientation: number): RgbImage {
  const walk = WALKS.get(orientation)
  if (walk === undefined) return image
  const { data } = image
  // From 5 on the image lies on its side.
  const [height, width] = orientation >= 5 ? [image.width, image.height] : [image.height, image.width]
  return { data: permutePixels(data, height, width, walk(image)), height, width }
}

/** Says where the upright image's first pixel is stored, and how far on its next row and its next column are, in pixels. */
type Walk = (stored: Pick<RgbImage, 'height' | 'width'>) => {
  readonly first: number
  readonly down: number
  readonly right: number
}

const WALKS: ReadonlyMap<number, Walk> = new Map<number, Walk>([
  [2, ({ width }) => ({ first: width - 1, down: width, right: -1 })],
  [3, ({ height, width }) => ({ first: height * width - 1, down: -width, right: -1 })],
  [4, ({ height, width }) => ({ first: (height - 1) * width, down: -width, right: 1 })],
  [5, ({ width }) => ({ first: 0, down: 1, right: width })],
  [6, ({ height, width }) => ({ first: (height - 1) * width, down: 1, right: -width })],
  [7, ({ height, width }) => ({ first: height * width - 1, down: -1, right: -width })],
  [8, ({ width }) => ({ first: width - 1, down: -1, right: width })],
])

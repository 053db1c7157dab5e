/** Draws which patches of two photos belong together: both photos side by side, and a line for each pair. */
import type { RgbImage } from '../../image/image.js'
import type { Placed } from '../patches-at.js'
import type { Rgb } from './canvas.js'
import { colorAt, colorTable } from './color-maps.js'
import { drawLine, drawRing } from './draw-lines.js'
import { sideBySide } from './layout.js'
import { patchMiddle } from './placement.js'

/** Is a pair of patches, by their numbers row by row. */
export interface DrawnMatch {
  /** Numbers the patch of the first photo. */
  readonly from: number
  /** Numbers the patch of the second photo. */
  readonly to: number
  /** Tells whether it agrees with most others, where that is known. */
  readonly isInlier?: boolean
}

/** Is a photo with what says where its patches lie. */
export interface PlacedPhoto {
  /** Is the photo at any scale. */
  readonly photo: RgbImage
  /** Says where patches lie: the photo's `Features` do. */
  readonly placed: Placed
}

const GAP = 16
const AGREES: Rgb = [253, 224, 71]
const DISAGREES: Rgb = [148, 163, 184]

/** Draws both photos and a line for each pair. Pairs that agree are drawn over the others; where nobody knows, each pair has a colour by where it begins. */
export function drawMatches(
  first: PlacedPhoto,
  second: PlacedPhoto,
  matches: readonly DrawnMatch[],
): RgbImage {
  const canvas = sideBySide([first.photo, second.photo], GAP)
  const shift = (photo: RgbImage, left: number) => ({
    x: left,
    y: Math.floor((canvas.height - photo.height) / 2),
  })
  const [a, b] = [shift(first.photo, 0), shift(second.photo, first.photo.width + GAP)]
  const table = colorTable('viridis')
  const agreeing = (match: DrawnMatch) => (match.isInlier === false ? 0 : 1)
  const width = Math.max(1.5, canvas.height / 400)
  for (const match of matches.toSorted((one, other) => agreeing(one) - agreeing(other))) {
    const start = patchMiddle(first.photo, first.placed, match.from)
    const end = patchMiddle(second.photo, second.placed, match.to)
    const plain = colorAt(table, 0.15 + (0.85 * start.x) / first.photo.width)
    const color = match.isInlier === undefined ? plain : match.isInlier ? AGREES : DISAGREES
    const style = { color, width, opacity: match.isInlier === false ? 0.45 : 0.9 }
    const [from, to] = [
      { x: start.x + a.x, y: start.y + a.y },
      { x: end.x + b.x, y: end.y + b.y },
    ]
    drawLine(canvas, from, to, style)
    for (const point of [from, to]) drawRing(canvas, point, 2 * width, style)
  }
  return canvas
}

/** Draws two photos side by side, with a line from each place of the one to its match in the other. */
import type { Features } from 'plumage/browser'

export interface DrawnMatch {
  readonly from: number
  readonly to: number
  /** Tells whether most matches agree with it. */
  readonly isInlier: boolean
}

export interface MatchedPhoto {
  readonly preview: ImageBitmap
  readonly features: Features
}

const HEIGHT = 480
const GAP = 16

export function drawMatches(
  canvas: HTMLCanvasElement,
  first: MatchedPhoto,
  second: MatchedPhoto,
  matches: readonly DrawnMatch[],
): void {
  const [one, other] = [widthOf(first), widthOf(second)]
  canvas.height = HEIGHT
  canvas.width = one + GAP + other
  const context = canvas.getContext('2d')
  if (context === null) return
  context.fillStyle = '#14171c'
  context.fillRect(0, 0, canvas.width, HEIGHT)
  context.drawImage(first.preview, 0, 0, one, HEIGHT)
  context.drawImage(second.preview, one + GAP, 0, other, HEIGHT)
  // Those that agree lie above the others.
  for (const match of matches.toSorted((a, b) => Number(a.isInlier) - Number(b.isInlier))) {
    const from = centreOf(first, match.from, 0, one)
    const to = centreOf(second, match.to, one + GAP, other)
    const [color, dashes] = match.isInlier ? ['#ffd166', []] : ['#7cc4ff', [4, 6]]
    line(context, from, to, '#000000a0', 4, dashes)
    line(context, from, to, color, 2, dashes)
    for (const [x, y] of [from, to]) dot(context, x, y, color)
  }
}

type Point = readonly [x: number, y: number]

function widthOf({ preview }: MatchedPhoto): number {
  return Math.round((preview.width / preview.height) * HEIGHT)
}

/** Places the middle of a patch on the canvas. */
function centreOf({ features }: MatchedPhoto, patch: number, left: number, width: number): Point {
  const { columns } = features.grid
  const box = features.patchBox(Math.floor(patch / columns), patch % columns)
  const [imageHeight, imageWidth] = features.imageSize
  return [
    left + ((box.left + box.right) / 2 / imageWidth) * width,
    ((box.top + box.bottom) / 2 / imageHeight) * HEIGHT,
  ]
}

function line(
  context: CanvasRenderingContext2D,
  from: Point,
  to: Point,
  color: string,
  thickness: number,
  dashes: readonly number[],
): void {
  context.beginPath()
  context.setLineDash([...dashes])
  context.moveTo(...from)
  context.lineTo(...to)
  context.lineWidth = thickness
  context.strokeStyle = color
  context.stroke()
}

function dot(context: CanvasRenderingContext2D, x: number, y: number, color: string): void {
  context.beginPath()
  context.setLineDash([])
  context.arc(x, y, 4, 0, 2 * Math.PI)
  context.fillStyle = color
  context.fill()
  context.lineWidth = 1
  context.strokeStyle = '#000000'
  context.stroke()
}

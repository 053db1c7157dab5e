/** Draws lines, rings and boxes with smooth edges: every pixel gets as much of the colour as the shape covers of it, nearly; and the edges of masks. */
import type { Box, RgbImage } from '../../image/image.js'
import { mixPixel, type Rgb } from './canvas.js'

/** Is in pixels, with fractions: (0, 0) is the upper left corner of the first pixel. */
export interface Point {
  readonly x: number
  readonly y: number
}

export interface LineStyle {
  readonly color: Rgb
  /** Is in pixels; default 2. */
  readonly width?: number
  /** Default 1. */
  readonly opacity?: number
}

export function drawLine(
  canvas: RgbImage,
  from: Point,
  to: Point,
  { color, width = 2, opacity = 1 }: LineStyle,
): void {
  const [dx, dy] = [to.x - from.x, to.y - from.y]
  const squared = dx * dx + dy * dy
  const distance = (x: number, y: number) => {
    const along = squared === 0 ? 0 : ((x - from.x) * dx + (y - from.y) * dy) / squared
    const t = Math.min(1, Math.max(0, along))
    return Math.hypot(x - from.x - t * dx, y - from.y - t * dy)
  }
  const reach = width / 2 + 1
  const [top, bottom] = [Math.min(from.y, to.y) - reach, Math.max(from.y, to.y) + reach]
  const slope = dy === 0 ? 0 : dx / dy
  for (let y = Math.max(0, Math.floor(top)); y < Math.min(canvas.height, Math.ceil(bottom)); y++) {
    // Only the stretch of the row that the line can reach is looked at: lines cross whole photos.
    const [left, right] = stretch(from, to, y, slope, reach)
    for (let x = Math.max(0, left); x < Math.min(canvas.width, right); x++) {
      const covered = Math.min(1, width / 2 + 0.5 - distance(x + 0.5, y + 0.5))
      if (covered > 0) mixPixel(canvas, y, x, color, covered * opacity)
    }
  }
}

function stretch(from: Point, to: Point, y: number, slope: number, reach: number): [number, number] {
  const ends = [from.x, to.x]
  const inside = (x: number) => Math.min(Math.max(...ends), Math.max(Math.min(...ends), x))
  const crossings =
    slope === 0 && from.y === to.y
      ? ends
      : [y - reach, y + 1 + reach].map((edge) => inside(from.x + (edge - from.y) * slope))
  return [Math.floor(Math.min(...crossings) - reach), Math.ceil(Math.max(...crossings) + reach)]
}

/** Draws a circle's line around a point. */
export function drawRing(
  canvas: RgbImage,
  { x, y }: Point,
  radius: number,
  { color, width = 2, opacity = 1 }: LineStyle,
): void {
  const reach = radius + width
  for (let row = Math.floor(y - reach); row <= y + reach; row++)
    for (let column = Math.floor(x - reach); column <= x + reach; column++) {
      const off = Math.abs(Math.hypot(column + 0.5 - x, row + 0.5 - y) - radius)
      const covered = Math.min(1, width / 2 + 0.5 - off)
      if (covered > 0) mixPixel(canvas, row, column, color, covered * opacity)
    }
}

/** Draws the outline of a box, its line's middle on the box's edge. */
export function drawBox(canvas: RgbImage, { top, left, bottom, right }: Box, style: LineStyle): void {
  const corners = [
    { x: left, y: top },
    { x: right, y: top },
    { x: right, y: bottom },
    { x: left, y: bottom },
  ]
  for (const [index, corner] of corners.entries())
    drawLine(canvas, corner, corners[(index + 1) % corners.length] ?? corner, style)
}

/** Is a mask in a photo's own pixels. */
export interface PhotoMask {
  /** uint8 [height, width]: what is not 0 belongs to it. */
  readonly mask: Uint8Array
  readonly size: readonly [height: number, width: number]
}

/** Draws the edge of a mask, along its inside; a pixel is of the line or it is not. @param canvas is the photo at any scale */
export function drawOutline(
  canvas: RgbImage,
  { mask, size: [height, width] }: PhotoMask,
  { color, width: thickness = 2, opacity = 1 }: LineStyle,
): void {
  const isInside = (y: number, x: number) => {
    const row = Math.floor(((y + 0.5) * height) / canvas.height)
    const column = Math.floor(((x + 0.5) * width) / canvas.width)
    return row >= 0 && column >= 0 && row < height && column < width && mask[row * width + column] !== 0
  }
  const reach = Math.max(1, Math.round(thickness))
  for (let y = 0; y < canvas.height; y++)
    for (let x = 0; x < canvas.width; x++) {
      if (!isInside(y, x)) continue
      const isEdge =
        !isInside(y - reach, x) ||
        !isInside(y + reach, x) ||
        !isInside(y, x - reach) ||
        !isInside(y, x + reach)
      if (isEdge) mixPixel(canvas, y, x, color, opacity)
    }
}

/** Draws a map as pixels: a dot for each photo, in the colour of its group, and beside it what the groups are called. */
import { checkOptionNames, type OptionNames } from '../../check-option-names.js'
import type { RgbImage } from '../../image/image.js'
import { fillBox, mixPixel, newCanvas, type Rgb } from '../draw/canvas.js'
import { drawText, fittedText, textSize } from '../draw/draw-text.js'
import { dotRadius, groupColors, groupCounts, type MapView, NO_GROUP, placesWithin } from './map-view.js'

/** Says how large a map is drawn. */
export interface DrawMapOptions {
  /** Is the side of the map itself in pixels, 100 or more; default 1,200. Names of groups stand beside it. */
  readonly side?: number
}

const OPTIONS = { side: true } satisfies OptionNames<DrawMapOptions>
const SIDE = 1200
const LEAST_SIDE = 100
const LEGEND_WIDTH = 320
const LINE = 24
/** More names would not be read. */
export const MOST_NAMES = 40

/** Draws a map on dark paper. Throws RangeError for a side that is too small. */
export function drawMap(view: MapView, options: DrawMapOptions = {}): RgbImage {
  checkOptionNames(options, OPTIONS)
  const { side = SIDE } = options
  if (!(Number.isInteger(side) && side >= LEAST_SIDE))
    throw new RangeError(`A map has a side of ${LEAST_SIDE} pixels or more, not ${side}.`)
  const hasLegend = view.groupNames.length > 0
  const canvas = newCanvas(side, side + (hasLegend ? LEGEND_WIDTH : 0))
  const colors = groupColors(view)
  const radius = dotRadius(view.groups.length, side)
  const margin = Math.ceil(radius) + Math.round(side / 50)
  const places = placesWithin(view.points, side - 2 * margin, side - 2 * margin)
  for (const [i, group] of view.groups.entries()) {
    const [x, y] = [margin + (places[2 * i] ?? 0), margin + (places[2 * i + 1] ?? 0)]
    drawDot(canvas, y, x, radius, colors[group] ?? NO_GROUP)
  }
  if (hasLegend) drawLegend(canvas, view, colors, side)
  return canvas
}

/** Pixels at the rim are mixed by how far they lie within. */
function drawDot(canvas: RgbImage, y: number, x: number, radius: number, color: Rgb): void {
  for (let row = Math.floor(y - radius); row <= Math.ceil(y + radius); row++) {
    for (let column = Math.floor(x - radius); column <= Math.ceil(x + radius); column++) {
      const share = Math.min(1, radius + 0.5 - Math.hypot(row - y, column - x))
      if (share > 0) mixPixel(canvas, row, column, color, 0.85 * share)
    }
  }
}

function drawLegend(canvas: RgbImage, view: MapView, colors: readonly Rgb[], left: number): void {
  const counts = groupCounts(view)
  const room = Math.min(MOST_NAMES, Math.floor(canvas.height / LINE) - 2)
  for (const [group, name] of view.groupNames.slice(0, room).entries()) {
    const top = LINE * (group + 1)
    fillBox(canvas, { top, left, height: 14, width: 14 }, colors[group] ?? NO_GROUP)
    const count = ` ${counts[group] ?? 0}`
    const text = fittedText(name, LEGEND_WIDTH - 40 - textSize(count).width)
    drawText(canvas, `${text}${count}`, top, left + 24)
  }
  const more = view.groupNames.length - room
  if (more > 0) drawText(canvas, `and ${more} more`, LINE * (room + 1), left + 24)
}

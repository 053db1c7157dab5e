/** Draws how often classes were taken for each other. */
import type { RgbImage } from '../../image/image.js'
import { fillBox, INK, newCanvas, type Rgb } from './canvas.js'
import { colorAt, colorTable } from './color-maps.js'
import { drawText, fittedText, textSize } from './draw-text.js'
import { framed, stacked, textStrip } from './layout.js'

/** Is in pixels: room for three digits. */
const CELL = 44
const GAP = 2
const NAMES_WIDTH = 220
const DARK: Rgb = [24, 24, 27]
/** From here on a cell is so light that dark letters are read better. */
const LIGHT_SHARE = 0.6

/**
 * Draws a table [K, K] of counts: a row for each label, a column for what was taken for it. The colour is the share of the row. Columns have the numbers that stand in
 * front of the rows' names. Throws RangeError for a table of another size than the names.
 */
export function drawConfusion(confusion: ArrayLike<number>, names: readonly string[]): RgbImage {
  const classes = names.length
  if (confusion.length !== classes * classes)
    throw new RangeError(
      `A table of ${classes} classes has ${classes * classes} counts, not ${confusion.length}.`,
    )
  const side = CELL + GAP
  const canvas = newCanvas((classes + 1) * side, NAMES_WIDTH + classes * side)
  const table = colorTable('viridis')
  const { height } = textSize('')
  const middle = Math.floor((CELL - height) / 2)
  for (const [row, name] of names.entries()) {
    const top = (row + 1) * side
    drawText(canvas, fittedText(`${row + 1} ${name}`, NAMES_WIDTH - GAP), top + middle, 0)
    centred(canvas, String(row + 1), middle, NAMES_WIDTH + row * side, INK)
    let sum = 0
    for (let k = 0; k < classes; k++) sum += confusion[row * classes + k] ?? 0
    for (let k = 0; k < classes; k++) {
      const count = confusion[row * classes + k] ?? 0
      const share = sum === 0 ? 0 : count / sum
      const left = NAMES_WIDTH + k * side
      fillBox(canvas, { top, left, height: CELL, width: CELL }, colorAt(table, share))
      if (count > 0) centred(canvas, String(count), top + middle, left, share >= LIGHT_SHARE ? DARK : INK)
    }
  }
  const told = 'Rows: the label. Columns: what it was taken for. Colours: the share of the row.'
  return framed(stacked([canvas, textStrip(told, canvas.width)]))
}

function centred(canvas: RgbImage, text: string, top: number, left: number, color: Rgb): void {
  // Five digits are too wide for large letters.
  const scale = textSize(text).width <= CELL ? 2 : 1
  drawText(canvas, text, top, left + Math.max(0, Math.floor((CELL - textSize(text, scale).width) / 2)), {
    scale,
    color,
  })
}

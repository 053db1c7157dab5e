/** Puts pictures together: side by side, with captions and legends below, and many of them on one sheet. */
import type { RgbImage } from '../../image/image.js'
import { fillBox, INK, newCanvas, paste, type Rgb } from './canvas.js'
import { type ColorMapName, colorAt, colorTable } from './color-maps.js'
import { drawText, textLines, textScale, textSize } from './draw-text.js'

const GAP = 8

/** Puts images into a row, each in the middle of its height. @param gap is in pixels */
export function sideBySide(images: readonly RgbImage[], gap = GAP): RgbImage {
  const height = Math.max(1, ...images.map((image) => image.height))
  const width = images.reduce((sum, image) => sum + image.width, gap * Math.max(0, images.length - 1))
  const canvas = newCanvas(height, Math.max(1, width))
  let left = 0
  for (const image of images) {
    paste(canvas, image, Math.floor((height - image.height) / 2), left)
    left += image.width + gap
  }
  return canvas
}

/** Puts images below each other, each from the left. */
export function stacked(images: readonly RgbImage[], gap = GAP): RgbImage {
  const height = images.reduce((sum, image) => sum + image.height, gap * Math.max(0, images.length - 1))
  const canvas = newCanvas(Math.max(1, height), Math.max(1, ...images.map((image) => image.width)))
  let top = 0
  for (const image of images) {
    paste(canvas, image, top, 0)
    top += image.height + gap
  }
  return canvas
}

/** Adds lines of text below an image; what is too long is broken at spaces. @param scale says how many pixels a pixel of the font has: its letters are 7 high */
export function captioned(image: RgbImage, text: string, scale = textScale(image.width)): RgbImage {
  return stacked([image, textStrip(text, image.width, scale)], 2 * scale)
}

/** Makes a strip of text as wide as is asked for. */
export function textStrip(text: string, width: number, scale = textScale(width)): RgbImage {
  const lines = textLines(text, width, scale)
  const { height } = textSize('', scale)
  const pitch = height + scale
  const canvas = newCanvas(lines.length * pitch, width)
  for (const [index, line] of lines.entries()) drawText(canvas, line, index * pitch, 0, { scale })
  return canvas
}

export interface Legend {
  readonly map: ColorMapName
  /** Says which numbers have the colours of both ends. */
  readonly range: readonly [low: number, high: number]
  /** Says what the numbers are. */
  readonly title: string
}

const BAR = { height: 14, width: 200 } as const

/** Draws a bar of all colours of a map with the numbers of its ends. */
export function legendBar({ map, range, title }: Legend, width: number, scale = textScale(width)): RgbImage {
  const table = colorTable(map)
  const [low, high] = range.map((value) => Number(value.toPrecision(3)).toString()) as [string, string]
  const left = textSize(`${low} `, scale).width
  const bar = Math.max(16, Math.min(BAR.width, width - left - textSize(` ${high}`, scale).width))
  const { height } = textSize('', scale)
  const canvas = newCanvas(Math.max(height, BAR.height), width)
  drawText(canvas, low, 0, 0, { scale, color: INK })
  for (let x = 0; x < bar; x++)
    for (let y = 0; y < BAR.height; y++) {
      if (left + x < width) canvas.data.set(colorAt(table, x / (bar - 1)), (y * width + left + x) * 3)
    }
  drawText(canvas, high, 0, left + bar + scale * 3, { scale, color: INK })
  return stacked([textStrip(title, width, scale), canvas], scale)
}

/** Puts tiles on a sheet, row by row; all columns are as wide as the widest tile, a row as high as its highest. @param gap is in pixels */
export function contactSheet(tiles: readonly RgbImage[], columns: number, gap = 2 * GAP): RgbImage {
  const rows: RgbImage[] = []
  const cell = {
    height: Math.max(1, ...tiles.map((tile) => tile.height)),
    width: Math.max(1, ...tiles.map((tile) => tile.width)),
  }
  for (let first = 0; first < tiles.length; first += columns) {
    const row = tiles.slice(first, first + columns)
    const height = Math.max(...row.map((tile) => tile.height))
    const canvas = newCanvas(height, columns * cell.width + (columns - 1) * gap)
    for (const [index, tile] of row.entries()) {
      const left = index * (cell.width + gap) + Math.floor((cell.width - tile.width) / 2)
      paste(canvas, tile, 0, left)
    }
    rows.push(canvas)
  }
  return stacked(rows, gap)
}

/** Adds an edge of the paper's colour all around. */
export function framed(image: RgbImage, edge = 2 * GAP): RgbImage {
  const canvas = newCanvas(image.height + 2 * edge, image.width + 2 * edge)
  paste(canvas, image, edge, edge)
  return canvas
}

/** Is a colour of a legend with what it stands for. */
export interface Swatch {
  readonly color: Rgb
  readonly text: string
}

/** Lists colours with what they stand for, one below the other; what is too long is broken at spaces. */
export function swatches(entries: readonly Swatch[], width: number, scale = textScale(width)): RgbImage {
  const { height: letter } = textSize('', scale)
  const left = letter + 3 * scale
  const lines = entries.map(({ color, text }) => {
    const strip = textStrip(text, Math.max(1, width - left), scale)
    const canvas = newCanvas(Math.max(letter, strip.height - scale), width)
    paste(canvas, strip, 0, left)
    fillBox(canvas, { top: 0, left: 0, height: letter - 2 * scale, width: letter }, color)
    return canvas
  })
  return stacked(lines, scale)
}

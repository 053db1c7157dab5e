/** Writes captions in the font of this room. */
import type { RgbImage } from '../../image/image.js'
import { fillBox, INK, type Rgb } from './canvas.js'
import { LETTER, letterPixels } from './font.js'

export interface TextStyle {
  /** Says how many pixels a pixel of the font is wide and high; default 2. */
  readonly scale?: number
  /** Default: light. */
  readonly color?: Rgb
}

/** Says how large a pixel of the font is drawn in a picture of this width: below it letters would leave room for a few words alone. */
export function textScale(width: number): number {
  return width < 400 ? 1 : 2
}

/** Counts the pixels that a line of text takes. */
export function textSize(text: string, scale = 2): { readonly height: number; readonly width: number } {
  return { height: LETTER.height * scale, width: [...text].length * (LETTER.width + 1) * scale }
}

/** Writes one line; what would lie outside of the canvas is left out. */
export function drawText(
  canvas: RgbImage,
  text: string,
  top: number,
  left: number,
  { scale = 2, color = INK }: TextStyle = {},
): void {
  for (const [index, letter] of [...text].entries()) {
    const start = left + index * (LETTER.width + 1) * scale
    for (const [pixel, isSet] of letterPixels(letter).entries()) {
      if (!isSet) continue
      const y = top + Math.floor(pixel / LETTER.width) * scale
      const x = start + (pixel % LETTER.width) * scale
      fillBox(canvas, { top: y, left: x, height: scale, width: scale }, color)
    }
  }
}

/** Shortens a line to what fits, in its middle, since names differ at both ends. */
export function fittedText(text: string, width: number, scale = 2): string {
  const letters = [...text]
  const room = Math.floor(width / ((LETTER.width + 1) * scale))
  if (letters.length <= room) return text
  if (room <= 1) return ''
  const end = Math.floor((room - 1) / 2)
  return `${letters.slice(0, room - 1 - end).join('')}…${end === 0 ? '' : letters.slice(-end).join('')}`
}

/** Breaks a text into lines that fit, at its spaces where that can be. */
export function textLines(text: string, width: number, scale = 2): readonly string[] {
  const room = Math.max(1, Math.floor(width / ((LETTER.width + 1) * scale)))
  const lines: string[] = []
  for (const paragraph of text.split('\n')) {
    let line = ''
    for (const word of paragraph.split(' ')) {
      const longer = line === '' ? word : `${line} ${word}`
      if ([...longer].length <= room) line = longer
      else {
        if (line !== '') lines.push(line)
        line = word
      }
    }
    lines.push(line)
  }
  return lines.map((line) => fittedText(line, width, scale))
}

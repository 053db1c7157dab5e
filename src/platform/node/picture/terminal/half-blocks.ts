/** Writes a picture as letters: each is the upper half of a cell in one colour on another one for the lower half, in 24 bits. */
import type { RgbImage } from '../../../../image/image.js'

/** @param image has a pixel for each column, and two rows of pixels for each line */
export function halfBlocks({ height, width, data }: RgbImage): string {
  const color = (y: number, x: number) =>
    [...data.subarray((y * width + x) * 3, (y * width + x) * 3 + 3)].join(';')
  const lines: string[] = []
  for (let y = 0; y < height; y += 2) {
    let line = ''
    let last = ''
    for (let x = 0; x < width; x++) {
      // What an odd height leaves of the last line keeps the terminal's own colour.
      const below = y + 1 < height ? `;48;2;${color(y + 1, x)}` : ''
      const colors = `38;2;${color(y, x)}${below}`
      line += colors === last ? '▀' : `\u001b[${colors}m▀`
      last = colors
    }
    lines.push(`${line}\u001b[0m\n`)
  }
  return lines.join('')
}

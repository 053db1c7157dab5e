/** Writes a picture as sixels: stripes of six rows, of each colour in turn the pixels that have it (DEC's VT340 manual, chapter 14). */
import type { RgbImage } from '../../../../image/image.js'

/** The terminal has 256 colours to give: six levels of red, seven of green, which eyes see best, six of blue. */
const LEVELS = [6, 7, 6] as const
/** Is the order in which neighbouring pixels are rounded up (Bayer, 1973), so that stripes of one colour do not show. */
const BAYER = [0, 8, 2, 10, 12, 4, 14, 6, 3, 11, 1, 9, 15, 7, 13, 5]

export function sixels(image: RgbImage): string {
  const { height, width } = image
  const colors = dithered(image)
  const parts = [`\u001bP0;1q"1;1;${width};${height}`, palette()]
  for (let top = 0; top < height; top += 6) parts.push(stripe(colors, width, top, Math.min(6, height - top)))
  return `${parts.join('')}\u001b\\`
}

/** Gives each pixel the number of its colour. */
function dithered({ height, width, data }: RgbImage): Uint8Array {
  const [, greens, blues] = LEVELS
  const out = new Uint8Array(height * width)
  for (const [pixel] of out.entries()) {
    const [x, y] = [pixel % width, Math.floor(pixel / width)]
    const bias = ((BAYER[(y % 4) * 4 + (x % 4)] ?? 0) + 0.5) / 16
    const [red = 0, green = 0, blue = 0] = [...data.subarray(pixel * 3, pixel * 3 + 3)].map(
      (level, channel) => Math.floor((level / 255) * ((LEVELS[channel] ?? 2) - 1) + bias),
    )
    out[pixel] = (red * greens + green) * blues + blue
  }
  return out
}

/** Says what each number means, in hundredths of red, green and blue. */
function palette(): string {
  const [reds, greens, blues] = LEVELS
  const share = (level: number, levels: number) => Math.round((100 * level) / (levels - 1))
  let text = ''
  for (let red = 0; red < reds; red++)
    for (let green = 0; green < greens; green++)
      for (let blue = 0; blue < blues; blue++)
        text += `#${(red * greens + green) * blues + blue};2;${share(red, reds)};${share(green, greens)};${share(blue, blues)}`
  return text
}

function stripe(colors: Uint8Array, width: number, top: number, rows: number): string {
  const bitsOf = new Map<number, Uint8Array>()
  for (let row = 0; row < rows; row++)
    for (const [x, color] of colors.subarray((top + row) * width, (top + row + 1) * width).entries()) {
      const bits = bitsOf.get(color) ?? new Uint8Array(width)
      bitsOf.set(color, bits)
      bits[x] = (bits[x] ?? 0) | (1 << row)
    }
  const lines = [...bitsOf].map(([color, bits]) => `#${color}${runs(bits)}`)
  // A dollar goes back to the left end, a hyphen to the next stripe.
  return `${lines.join('$')}-`
}

/** Writes six bits as a letter; of four or more equal ones, how many there are. */
function runs(bits: Uint8Array): string {
  let text = ''
  for (let x = 0; x < bits.length; ) {
    let end = x + 1
    while (end < bits.length && bits[end] === bits[x]) end++
    const letter = String.fromCharCode(63 + (bits[x] ?? 0))
    text += end - x > 3 ? `!${end - x}${letter}` : letter.repeat(end - x)
    x = end
  }
  return text
}

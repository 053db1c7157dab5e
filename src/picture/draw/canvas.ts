/** Makes the images that are drawn on, and puts one image into another. What draws changes the canvas that it is given; all else gives a new image. */
import type { RgbImage } from '../../image/image.js'
import { mixColor } from '../../numerics/mix-pixels.js'

/** Is a colour of the screen, 0 to 255 each. */
export type Rgb = readonly [red: number, green: number, blue: number]

/** Is what lies around pictures: dark, so that neither photos nor maps look dull beside it. */
const PAPER: Rgb = [24, 24, 27]
/** Is the colour of captions. */
export const INK: Rgb = [228, 228, 231]

export function newCanvas(height: number, width: number, [red, green, blue]: Rgb = PAPER): RgbImage {
  const data = new Uint8Array(height * width * 3)
  for (let at = 0; at < data.length; at += 3) {
    data[at] = red
    data[at + 1] = green
    data[at + 2] = blue
  }
  return { height, width, data }
}

/** Gives pixels of their own, to draw on. */
export function copyOf({ height, width, data }: RgbImage): RgbImage {
  return { height, width, data: data.slice() }
}

/** Puts an image into another; what would lie outside is left out. */
export function paste(canvas: RgbImage, image: RgbImage, top: number, left: number): void {
  const from = Math.max(0, -left)
  const to = Math.min(image.width, canvas.width - left)
  if (to <= from) return
  for (let y = Math.max(0, -top); y < Math.min(image.height, canvas.height - top); y++) {
    const row = image.data.subarray((y * image.width + from) * 3, (y * image.width + to) * 3)
    canvas.data.set(row, ((top + y) * canvas.width + left + from) * 3)
  }
}

/** Mixes a colour into a pixel; outside of the canvas nothing happens. @param share is 1 for the colour alone */
export function mixPixel(canvas: RgbImage, y: number, x: number, color: Rgb, share: number): void {
  if (y < 0 || x < 0 || y >= canvas.height || x >= canvas.width) return
  mixColor(canvas.data, (y * canvas.width + x) * 3, color, share)
}

/** Fills a rectangle of whole pixels. */
export function fillBox(
  canvas: RgbImage,
  { top, left, height, width }: { top: number; left: number; height: number; width: number },
  color: Rgb,
  share = 1,
): void {
  for (let y = top; y < top + height; y++)
    for (let x = left; x < left + width; x++) mixPixel(canvas, y, x, color, share)
}

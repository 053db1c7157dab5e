/** EXIF orientation applied to pixels: exact, a permutation of them. */
import type { RgbImage } from './image.js'

/** @param orientation 1 to 8 as EXIF numbers them; anything else leaves the image as it is */
export function turnUpright(image: RgbImage, orientation: number): RgbImage {
  if (!(orientation >= 2 && orientation <= 8)) return image
  const { data, height, width } = image
  // 5 to 8 lie on their side.
  const [newHeight, newWidth] = orientation >= 5 ? [width, height] : [height, width]
  const out = new Uint8Array(data.length)
  for (let y = 0, to = 0; y < newHeight; y++) {
    for (let x = 0; x < newWidth; x++, to += 3) {
      const [row, column] = sourceOf(orientation, y, x, height, width)
      const from = (row * width + column) * 3
      out[to] = data[from]
      out[to + 1] = data[from + 1]
      out[to + 2] = data[from + 2]
    }
  }
  return { data: out, height: newHeight, width: newWidth }
}

/** Where the upright pixel (y, x) lies in the stored image. */
function sourceOf(
  orientation: number,
  y: number,
  x: number,
  height: number,
  width: number,
): readonly [number, number] {
  const [bottom, right] = [height - 1, width - 1]
  switch (orientation) {
    case 2:
      return [y, right - x]
    case 3:
      return [bottom - y, right - x]
    case 4:
      return [bottom - y, x]
    case 5:
      return [x, y]
    case 6:
      return [bottom - x, y]
    case 7:
      return [bottom - x, right - y]
    default:
      return [x, right - y]
  }
}

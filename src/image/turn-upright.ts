/** EXIF orientation applied to pixels: exact, a permutation of them. */
import type { RgbImage } from './image.js'

/** @param orientation 1 to 8 as EXIF numbers them; anything else leaves the image as it is */
export function turnUpright(image: RgbImage, orientation: number): RgbImage {
  if (!(orientation >= 2 && orientation <= 8)) return image
  const { data, height, width } = image
  const { first, down, right } = walk(orientation, height, width)
  // 5 to 8 lie on their side.
  const [newHeight, newWidth] = orientation >= 5 ? [width, height] : [height, width]
  const out = new Uint8Array(data.length)
  for (let y = 0, to = 0; y < newHeight; y++) {
    let from = (first + y * down) * 3
    for (let x = 0; x < newWidth; x++, to += 3, from += right * 3) {
      out[to] = data[from]
      out[to + 1] = data[from + 1]
      out[to + 2] = data[from + 2]
    }
  }
  return { data: out, height: newHeight, width: newWidth }
}

/** Where the upright image's first pixel is stored, and how far on its next row and its next column are, in pixels. */
function walk(
  orientation: number,
  height: number,
  width: number,
): { first: number; down: number; right: number } {
  const lastRow = (height - 1) * width
  const lastColumn = width - 1
  switch (orientation) {
    case 2:
      return { first: lastColumn, down: width, right: -1 }
    case 3:
      return { first: lastRow + lastColumn, down: -width, right: -1 }
    case 4:
      return { first: lastRow, down: -width, right: 1 }
    case 5:
      return { first: 0, down: 1, right: width }
    case 6:
      return { first: lastRow, down: 1, right: -width }
    case 7:
      return { first: lastRow + lastColumn, down: -1, right: -width }
    default:
      return { first: lastColumn, down: -1, right: width }
  }
}

/**
 * Lays out the pixels of an image anew, each as it is.
 *
 *     out[y, x] = data[first + y * down + x * right]
 *
 * @param data uint8 [pixels, 3]
 * @param steps say which pixel comes first, and how far on the next row's and the next column's pixels are; all in pixels
 * @returns uint8 [height, width, 3]
 */
export function permutePixels(
  data: Uint8Array,
  height: number,
  width: number,
  { first, down, right }: { readonly first: number; readonly down: number; readonly right: number },
): Uint8Array {
  const out = new Uint8Array(height * width * 3)
  for (let y = 0, to = 0; y < height; y++) {
    let from = (first + y * down) * 3
    for (let x = 0; x < width; x++, to += 3, from += right * 3) {
      out[to] = data[from]
      out[to + 1] = data[from + 1]
      out[to + 2] = data[from + 2]
    }
  }
  return out
}

/** Lays an image out as NaFlex's processors do: a row for each patch, pixel by pixel, filled up to the most patches, with a mask and the grid. */
import type { PreparedImage } from '../image/prepare-image.js'

/** Gives pixel_values [most, P * P * C], pixel_attention_mask [most] and spatial_shapes [2]. */
export function patchRows(
  { pixels, height, width }: PreparedImage,
  { patchSize, maxPatches }: { readonly patchSize: number; readonly maxPatches: number },
): ReadonlyMap<string, Float32Array> {
  const [rows, columns, channels] = [height / patchSize, width / patchSize, pixels.length / (height * width)]
  const length = channels * patchSize ** 2
  const values = new Float32Array(maxPatches * length)
  pixels.forEach((value, at) => {
    const [c, y, x] = [Math.floor(at / (height * width)), Math.floor(at / width) % height, at % width]
    const patch = Math.floor(y / patchSize) * columns + Math.floor(x / patchSize)
    const inPatch = (y % patchSize) * patchSize + (x % patchSize)
    values[patch * length + inPatch * channels + c] = value
  })
  const mask = Float32Array.from({ length: maxPatches }, (_, patch) => (patch < rows * columns ? 1 : 0))
  return new Map([
    ['pixel_values', values],
    ['pixel_attention_mask', mask],
    ['spatial_shapes', Float32Array.of(rows, columns)],
  ])
}

/** Makes five views of normalised pixels, by which Birder augments at test time (inference/classification.py). */
import { antialiasTaps, resampleTable } from '../kernels/resample-table.js'
import { roundHalfToEven } from './round-half-to-even.js'

/** A crop keeps this part of each side. */
const CROP = 0.8

/**
 * Averages what is computed of each of the five views, place by place. Sums run in float64 and are rounded once, at the end.
 *
 * @param pixels float32 [planes, height, width], of whichever images and channels
 * @param compute gives as many numbers for each view
 */
export async function meanOverCrops(
  pixels: Float32Array,
  size: { readonly height: number; readonly width: number },
  compute: (crop: Float32Array) => Promise<Float32Array>,
): Promise<Float32Array> {
  let sums = new Float64Array()
  let count = 0
  for (const crop of fiveCrops(pixels, size)) {
    const found = await compute(crop)
    if (count === 0) sums = new Float64Array(found.length)
    for (const [at, value] of found.entries()) sums[at] = (sums[at] ?? Number.NaN) + value
    count++
  }
  return Float32Array.from(sums, (sum) => sum / count)
}

/**
 * Cuts corners and centre out, and resizes each back to full size with antialiased bicubic weights, on floats as torch does.
 *
 * @param pixels float32 [planes, height, width], of whichever images and channels
 * @returns upper left, upper right, lower left, lower right, centre, each of that shape
 */
function* fiveCrops(
  pixels: Float32Array,
  { height, width }: { readonly height: number; readonly width: number },
): Generator<Float32Array> {
  const [cropHeight, cropWidth] = [Math.trunc(height * CROP), Math.trunc(width * CROP)]
  const [lastTop, lastLeft] = [height - cropHeight, width - cropWidth]
  const corners = [
    [0, 0],
    [0, lastLeft],
    [lastTop, 0],
    [lastTop, lastLeft],
    [roundHalfToEven(lastTop / 2), roundHalfToEven(lastLeft / 2)],
  ] as const
  const vertical = antialiasTaps(cropHeight, height)
  const horizontal = antialiasTaps(cropWidth, width)
  const plane = height * width
  for (const [top, left] of corners) {
    const out = new Float32Array(pixels.length)
    const crop = new Float32Array(cropHeight * cropWidth)
    for (let at = 0; at < pixels.length; at += plane) {
      const from = at + top * width + left
      for (let y = 0; y < cropHeight; y++)
        crop.set(pixels.subarray(from + y * width, from + y * width + cropWidth), y * cropWidth)
      out.set(resampleTable(crop, [cropHeight, cropWidth], vertical, horizontal), at)
    }
    yield out
  }
}

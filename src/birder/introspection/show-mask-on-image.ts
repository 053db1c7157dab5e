/** Lays a heat map over an image as Birder's `show_mask_on_image` does, byte for byte. */
import type { RgbImage } from '../../image/image.js'
import type { NdArray } from '../nd-array.js'

/** Is matplotlib's `jet`: for red, green and blue, the places from 0 to 1 at which a level is reached, which is kept or changed in between along a line. */
const JET: readonly (readonly (readonly [place: number, level: number])[])[] = [
  [
    [0, 0],
    [0.35, 0],
    [0.66, 1],
    [0.89, 1],
    [1, 0.5],
  ],
  [
    [0, 0],
    [0.125, 0],
    [0.375, 1],
    [0.64, 1],
    [0.91, 0],
    [1, 0],
  ],
  [
    [0, 0.5],
    [0.11, 1],
    [0.34, 1],
    [0.65, 0],
    [1, 0],
  ],
]
const STEPS = 256
const COLOURS = JET.map(levels)

/**
 * Mixes the colours of `mask` [H, W] with `image` [H, W, 3], which has levels from 0 to 1, and stretches the sum so that its largest level is 255. The mask is
 * coloured from 0 to 1: what is below or above has the first or the last colour.
 *
 * @param imageWeight is the image's part of the sum, from 0 to 1
 */
export function showMaskOnImage(image: NdArray, mask: NdArray, imageWeight = 0.5): RgbImage {
  const [height = 0, width = 0] = mask.shape
  const mixed = new Float64Array(image.data.length)
  const part = Math.fround(imageWeight)
  let largest = 0
  for (const [at, value] of mask.data.entries()) {
    const step = stepOf(value)
    for (const [channel, colour] of COLOURS.entries()) {
      const level = Math.fround(part * (image.data[at * 3 + channel] ?? Number.NaN))
      const sum = (1 - imageWeight) * (colour[step] ?? Number.NaN) + level
      mixed[at * 3 + channel] = sum
      largest = Math.max(largest, sum)
    }
  }
  return { height, width, data: Uint8Array.from(mixed, (sum) => Math.trunc((sum / largest) * 255)) }
}

/** Multiplies in float32, as matplotlib does with an array of that. */
function stepOf(value: number): number {
  return Math.min(STEPS - 1, Math.max(0, Math.trunc(Math.fround(value * STEPS))))
}

/** Makes matplotlib's table of a colour: its own formula, since another would round otherwise. */
function levels(points: readonly (readonly [place: number, level: number])[]): Float64Array {
  const places = points.map(([place]) => place * (STEPS - 1))
  return Float64Array.from({ length: STEPS }, (_, step) => {
    if (step === 0 || step === STEPS - 1) return points.at(step === 0 ? 0 : -1)?.[1] ?? Number.NaN
    const at = (STEPS - 1) * (step * (1 / (STEPS - 1)))
    const next = places.findIndex((place) => place >= at)
    const [from = 0, to = 0] = places.slice(next - 1)
    const [[, low] = [0, 0], [, high] = [0, 0]] = points.slice(next - 1)
    return ((at - from) / (to - from)) * (high - low) + low
  })
}

/**
 * Resizes a plane of float32 as Pillow does it in its mode F: weights and sums are float64, and each pass rounds to float32. Values may come out a little
 * above or below all that went in.
 */
import { type ExactTaps, exactTaps } from './resample-pillow.js'
import type { Filter } from './resample-filter.js'

/** Takes float32 [height, width] to [newHeight, newWidth]; gives the input itself where no side changes. */
export function resamplePillowFloats(
  values: Float32Array,
  [height, width]: readonly [height: number, width: number],
  [newHeight, newWidth]: readonly [height: number, width: number],
  filter: Exclude<Filter, 'nearest'> = 'bicubic',
): Float32Array {
  const across = width === newWidth ? null : exactTaps(width, newWidth, filter, width / newWidth)
  const down = height === newHeight ? null : exactTaps(height, newHeight, filter, height / newHeight)
  // Pillow 13 goes down first where that takes away more than twice as many rows as the other pass takes columns.
  const downFirst = Math.max(0, height - newHeight) > 2 * Math.max(0, width - newWidth)
  return downFirst
    ? passAcross(passDown(values, width, down), width, across)
    : passDown(passAcross(values, width, across), newWidth, down)
}

function passAcross(values: Float32Array, width: number, taps: ExactTaps | null): Float32Array {
  if (taps === null) return values
  const { first, count, exact, stride } = taps
  const rows = values.length / width
  const out = new Float32Array(rows * first.length)
  for (let row = 0, to = 0; row < rows; row++) {
    for (let i = 0; i < first.length; i++, to++) {
      let sum = 0
      for (let j = 0; j < count[i]; j++) sum += values[row * width + first[i] + j] * exact[i * stride + j]
      out[to] = sum
    }
  }
  return out
}

function passDown(values: Float32Array, width: number, taps: ExactTaps | null): Float32Array {
  if (taps === null) return values
  const { first, count, exact, stride } = taps
  const out = new Float32Array(first.length * width)
  for (let i = 0, to = 0; i < first.length; i++) {
    for (let column = 0; column < width; column++, to++) {
      let sum = 0
      for (let j = 0; j < count[i]; j++) sum += values[(first[i] + j) * width + column] * exact[i * stride + j]
      out[to] = sum
    }
  }
  return out
}

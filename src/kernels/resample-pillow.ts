/**
 * Resizes 8-bit images bit for bit as Pillow does it, and as torch does it on uint8 tensors.
 *
 * Both are separable and antialiased: a filter, Keys' cubic for most, is widened by the scale when shrinking, cut off at the border and
 * renormalised. Both find weights in float64, sum in fixed point and round to 8 bits after each pass, so the order of the passes shows.
 * They differ in the fixed point, and Pillow's versions in the order:
 *
 * - Pillow keeps 22 bits after the point. To 12.1 the horizontal pass goes first; from 13.0 the vertical one does where it takes away more than
 *   twice as many rows as the other takes columns.
 * - torch keeps weights in int16, with as many bits after the point as an axis' largest weight leaves; the horizontal pass goes first.
 */
import { FILTER_KERNELS, type Filter } from './resample-filter.js'

/** `pillow-13` goes vertically first where the height shrinks by far more; `horizontal-first` is what Pillow to 12.1 does. */
export type PassOrder = 'pillow-13' | 'horizontal-first'

/** Is in pixels. */
type Size = readonly [height: number, width: number]

/** A resize makes up to two passes, each over an axis whose length changes. */
export interface Passes {
  /** Makes the width; null where it stays. */
  readonly horizontal: Taps | null
  /** Makes the height; null where it stays. */
  readonly vertical: Taps | null
  /** Says which goes first. Each rounds to 8 bits, so the order shows. */
  readonly verticalFirst: boolean
}

/**
 * Makes the passes: uint8 [height, width, 3] to [newHeight, newWidth, 3], or the input itself where there is no pass. All resamplers give
 * the same bytes.
 */
export type Resample = (image: Uint8Array, size: Size, passes: Passes) => Promise<Uint8Array>

export interface PillowOptions {
  /** The default is `pillow-13`. */
  readonly order?: PassOrder
  /** The default is `bicubic`. */
  readonly filter?: Filter
  /** Counts the values of a pixel; the default is 3. */
  readonly channels?: 1 | 3
}

/** Takes uint8 [height, width, channels] to [newHeight, newWidth, channels]; gives the input itself where no side changes. */
export function resamplePillow(
  data: Uint8Array,
  size: Size,
  newSize: Size,
  { order = 'pillow-13', channels = 3, filter = 'bicubic' }: PillowOptions = {},
): Uint8Array {
  return resample(data, size, pillowPasses(size, newSize, order, filter), channels)
}

/** Takes uint8 [height, width, 3] as torch's `interpolate(mode='bicubic', antialias=True)` does; gives the input itself where no side changes. */
export function resampleTorch(data: Uint8Array, size: Size, newSize: Size): Uint8Array {
  return resample(data, size, torchPasses(size, newSize))
}

/** @param box says how much of the image is resized, from its top left on, in pixels that may be parts, and up to one more than there are; default: all of it */
export function pillowPasses(
  [height, width]: Size,
  [newHeight, newWidth]: Size,
  order: PassOrder,
  filter: Filter = 'bicubic',
  box: Size = [height, width],
): Passes {
  return {
    horizontal: tapsOrNull(width, newWidth, filter, pillowBits, box[1]),
    vertical: tapsOrNull(height, newHeight, filter, pillowBits, box[0]),
    verticalFirst:
      order === 'pillow-13' && Math.max(0, height - newHeight) > 2 * Math.max(0, width - newWidth),
  }
}

/** @param box as that of `pillowPasses` */
export function torchPasses(
  [height, width]: Size,
  [newHeight, newWidth]: Size,
  filter: Filter = 'bicubic',
  box: Size = [height, width],
): Passes {
  return {
    horizontal: tapsOrNull(width, newWidth, filter, torchBits, box[1]),
    vertical: tapsOrNull(height, newHeight, filter, torchBits, box[0]),
    verticalFirst: false,
  }
}

/** Says what the passes make of an image of this size. */
export function resizedSize([height, width]: Size, { horizontal, vertical }: Passes): Size {
  return [vertical?.first.length ?? height, horizontal?.first.length ?? width]
}

/** Makes the passes one after the other; uint8 [height, width, channels] goes in and comes out. */
export function resample(
  data: Uint8Array,
  [, width]: Size,
  { horizontal, vertical, verticalFirst }: Passes,
  channels: 1 | 3 = 3,
): Uint8Array {
  const newWidth = horizontal?.first.length ?? width
  return verticalFirst
    ? resampleRows(resampleColumns(data, width * channels, vertical), width, channels, horizontal)
    : resampleColumns(resampleRows(data, width, channels, horizontal), newWidth * channels, vertical)
}

/** Runs `resample` as it is, on the thread that calls. */
export const portableResample: Resample = async (image, size, passes) => resample(image, size, passes)

/** Says which inputs make an output, along one axis. */
export interface Taps {
  /** Gives the first input index of each output index. */
  readonly first: Int32Array
  /** Says how many inputs each output is made of. */
  readonly count: Int32Array
  /** Holds `stride` weights for each output index in fixed point, of which `count` are used. */
  readonly weights: Int32Array
  /** Counts the weights that are kept for each output. */
  readonly stride: number
  /** Counts the bits after the point. */
  readonly bits: number
}

/** The horizontal pass takes every row of `width` pixels on its own. */
function resampleRows(data: Uint8Array, width: number, channels: 1 | 3, taps: Taps | null): Uint8Array {
  if (taps === null) return data
  return channels === 3 ? resampleRgbRows(data, width, taps) : resampleGreyRows(data, width, taps)
}

function resampleRgbRows(data: Uint8Array, width: number, taps: Taps): Uint8Array {
  const { first, count, weights, stride, bits } = taps
  const half = 1 << (bits - 1)
  const newWidth = first.length
  const rows = data.length / (width * 3)
  const out = new Uint8ClampedArray(rows * newWidth * 3)
  for (let row = 0, to = 0; row < rows; row++) {
    for (let i = 0; i < newWidth; i++, to += 3) {
      let from = (row * width + first[i]) * 3
      let r = half
      let g = half
      let b = half
      const end = i * stride + count[i]
      for (let tap = i * stride; tap < end; tap++, from += 3) {
        const weight = weights[tap]
        r = (r + Math.imul(data[from], weight)) | 0
        g = (g + Math.imul(data[from + 1], weight)) | 0
        b = (b + Math.imul(data[from + 2], weight)) | 0
      }
      out[to] = r >> bits
      out[to + 1] = g >> bits
      out[to + 2] = b >> bits
    }
  }
  return bytesOf(out)
}

function resampleGreyRows(data: Uint8Array, width: number, taps: Taps): Uint8Array {
  const { first, count, weights, stride, bits } = taps
  const newWidth = first.length
  const rows = data.length / width
  const out = new Uint8ClampedArray(rows * newWidth)
  for (let row = 0, to = 0; row < rows; row++) {
    for (let i = 0; i < newWidth; i++, to++) {
      const from = row * width + first[i]
      let sum = 1 << (bits - 1)
      for (let tap = 0; tap < count[i]; tap++) {
        sum = (sum + Math.imul(data[from + tap], weights[i * stride + tap])) | 0
      }
      out[to] = sum >> bits
    }
  }
  return bytesOf(out)
}

/** The vertical pass takes four input rows at a time: a row of sums is then read and written a quarter as often. */
function resampleColumns(data: Uint8Array, rowLength: number, taps: Taps | null): Uint8Array {
  if (taps === null) return data
  const { first, count, weights, stride, bits } = taps
  const newHeight = first.length
  const out = new Uint8ClampedArray(newHeight * rowLength)
  const sums = new Int32Array(rowLength)
  for (let i = 0; i < newHeight; i++) {
    sums.fill(1 << (bits - 1))
    const end = i * stride + count[i]
    let tap = i * stride
    let from = first[i] * rowLength
    for (; tap + 3 < end; tap += 4, from += 4 * rowLength) {
      addFourRows(sums, data, from, weights, tap)
    }
    for (; tap < end; tap++, from += rowLength) {
      const weight = weights[tap]
      for (let x = 0; x < rowLength; x++) sums[x] = sums[x] + Math.imul(data[from + x], weight)
    }
    for (let x = 0, to = i * rowLength; x < rowLength; x++, to++) out[to] = sums[x] >> bits
  }
  return bytesOf(out)
}

function addFourRows(
  sums: Int32Array,
  data: Uint8Array,
  first: number,
  weights: Int32Array,
  tap: number,
): void {
  const rowLength = sums.length
  const second = first + rowLength
  const third = second + rowLength
  const fourth = third + rowLength
  const a = weights[tap]
  const b = weights[tap + 1]
  const c = weights[tap + 2]
  const d = weights[tap + 3]
  for (let x = 0; x < rowLength; x++) {
    sums[x] =
      sums[x] +
      Math.imul(data[first + x], a) +
      Math.imul(data[second + x], b) +
      Math.imul(data[third + x], c) +
      Math.imul(data[fourth + x], d)
  }
}

/** Clamped arrays do the clipping to 0..255; the rest of the library knows plain bytes. */
function bytesOf({ buffer }: Uint8ClampedArray<ArrayBuffer>): Uint8Array {
  return new Uint8Array(buffer)
}

/** Gives null where the side stays as it is: the pass is then left out, as both libraries do. */
function tapsOrNull(
  inputSize: number,
  outputSize: number,
  filter: Filter,
  bitsFor: (largestWeight: number) => number,
  span: number,
): Taps | null {
  if (inputSize === outputSize) return null
  const scale = span / outputSize
  if (filter === 'nearest') return nearestTaps(inputSize, outputSize, scale)
  const { first, count, exact, stride } = exactTaps(inputSize, outputSize, filter, scale)
  const weights = new Int32Array(exact.length)
  const bits = bitsFor(largestOf(exact))
  for (let i = 0; i < exact.length; i++) weights[i] = toFixedPoint(exact[i], bits)
  return { first, count, weights, stride, bits }
}

/** Says which inputs make an output, with weights that are not rounded. */
export interface ExactTaps extends Omit<Taps, 'weights' | 'bits'> {
  /** Holds `stride` weights for each output index, of which `count` are used. */
  readonly exact: Float64Array
}

/** Finds the weights as Pillow does, in float64. `scale` is how many inputs an output stands for. */
export function exactTaps(
  inputSize: number,
  outputSize: number,
  filter: Exclude<Filter, 'nearest'>,
  scale: number,
): ExactTaps {
  const { support: reach, weight: weightAt } = FILTER_KERNELS[filter]
  const widening = Math.max(scale, 1)
  const support = reach * widening
  const stride = Math.ceil(support) * 2 + 1
  const first = new Int32Array(outputSize)
  const count = new Int32Array(outputSize)
  const exact = new Float64Array(outputSize * stride)
  for (let i = 0; i < outputSize; i++) {
    const centre = (i + 0.5) * scale
    const from = Math.max(Math.trunc(centre - support + 0.5), 0)
    const taps = Math.min(Math.trunc(centre + support + 0.5), inputSize) - from
    let sum = 0
    for (let j = 0; j < taps; j++) {
      const weight = weightAt((j + from - centre + 0.5) * (1 / widening))
      exact[i * stride + j] = weight
      sum += weight
    }
    for (let j = 0; j < taps; j++) exact[i * stride + j] /= sum
    first[i] = from
    count[i] = taps
  }
  return { first, count, exact, stride }
}

/** Adds the scale up from output to output, as Pillow's affine transform does: multiplying would round differently. */
function nearestTaps(inputSize: number, outputSize: number, scale: number): Taps {
  const first = new Int32Array(outputSize)
  let centre = scale * 0.5
  for (let i = 0; i < outputSize; i++, centre += scale) first[i] = Math.min(Math.trunc(centre), inputSize - 1)
  const count = new Int32Array(outputSize).fill(1)
  return { first, count, weights: new Int32Array(outputSize).fill(1 << 22), stride: 1, bits: 22 }
}

function largestOf(values: Float64Array): number {
  let largest = 0
  for (let i = 0; i < values.length; i++) if (values[i] > largest) largest = values[i]
  return largest
}

/** Halves go away from zero. */
function toFixedPoint(weight: number, bits: number): number {
  const scaled = weight * 2 ** bits
  return Math.trunc(scaled < 0 ? scaled - 0.5 : scaled + 0.5)
}

function pillowBits(): number {
  return 22
}

/** torch takes as many bits as keep the largest weight within int16. */
function torchBits(largestWeight: number): number {
  let bits = 0
  while (bits < 22 && Math.trunc(largestWeight * 2 ** (bits + 1) + 0.5) < 2 ** 15) bits++
  return bits
}

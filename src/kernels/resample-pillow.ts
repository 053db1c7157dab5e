/**
 * Pillow's bicubic resize of 8-bit images, bit for bit (libImaging/Resample.c: Catmull-Rom cubic with a = -0.5, widened when shrinking,
 * weights in 22-bit fixed point). Each pass rounds to 8 bits, so the order of the passes shows; versions of Pillow differ in it.
 */

/** `pillow-13`: vertical first where the height shrinks by far more. `horizontal-first`: Pillow up to 12.1. */
export type PassOrder = 'pillow-13' | 'horizontal-first'

const PRECISION_BITS = 22
const ROUND = 1 << (PRECISION_BITS - 1)

interface AxisTaps {
  /** First input index per output index. */
  readonly first: Int32Array
  readonly count: Int32Array
  /** `stride` weights per output index, fixed point. */
  readonly weights: Int32Array
  readonly stride: number
}

/** uint8 [height, width, 3] to [newHeight, newWidth, 3]; the input itself where no side changes. */
export function resamplePillow(
  data: Uint8Array,
  [height, width]: readonly [height: number, width: number],
  [newHeight, newWidth]: readonly [newHeight: number, newWidth: number],
  order: PassOrder = 'pillow-13',
): Uint8Array {
  const horizontal = (rows: number, from: Uint8Array) =>
    newWidth === width ? from : resampleRows(from, rows, width, newWidth)
  const vertical = (columns: number, from: Uint8Array) =>
    newHeight === height ? from : resampleColumns(from, height, columns, newHeight)
  const verticalFirst =
    order === 'pillow-13' && Math.max(0, height - newHeight) > 2 * Math.max(0, width - newWidth)
  return verticalFirst
    ? horizontal(newHeight, vertical(width, data))
    : vertical(newWidth, horizontal(height, data))
}

function resampleRows(data: Uint8Array, rows: number, width: number, newWidth: number): Uint8Array {
  const { first, count, weights, stride } = tapsOf(width, newWidth)
  const out = new Uint8Array(rows * newWidth * 3)
  for (let row = 0, to = 0; row < rows; row++) {
    for (let i = 0; i < newWidth; i++, to += 3) {
      let from = (row * width + first[i]) * 3
      let r = ROUND
      let g = ROUND
      let b = ROUND
      const end = i * stride + count[i]
      for (let tap = i * stride; tap < end; tap++, from += 3) {
        const weight = weights[tap]
        r = (r + data[from] * weight) | 0
        g = (g + data[from + 1] * weight) | 0
        b = (b + data[from + 2] * weight) | 0
      }
      out[to] = clip(r)
      out[to + 1] = clip(g)
      out[to + 2] = clip(b)
    }
  }
  return out
}

function resampleColumns(data: Uint8Array, height: number, width: number, newHeight: number): Uint8Array {
  const { first, count, weights, stride } = tapsOf(height, newHeight)
  const row = width * 3
  const out = new Uint8Array(newHeight * row)
  const sums = new Int32Array(row)
  for (let i = 0; i < newHeight; i++) {
    sums.fill(ROUND)
    for (let tap = 0; tap < count[i]; tap++) {
      const weight = weights[i * stride + tap]
      const from = (first[i] + tap) * row
      for (let x = 0; x < row; x++) sums[x] += data[from + x] * weight
    }
    for (let x = 0; x < row; x++) out[i * row + x] = clip(sums[x])
  }
  return out
}

function clip(sum: number): number {
  const value = sum >> PRECISION_BITS
  return value < 0 ? 0 : value > 255 ? 255 : value
}

function tapsOf(inputSize: number, outputSize: number): AxisTaps {
  const scale = inputSize / outputSize
  const widening = Math.max(scale, 1)
  const support = 2 * widening
  const stride = Math.ceil(support) * 2 + 1
  const first = new Int32Array(outputSize)
  const count = new Int32Array(outputSize)
  const weights = new Int32Array(outputSize * stride)
  for (let i = 0; i < outputSize; i++) {
    const centre = (i + 0.5) * scale
    const from = Math.max(Math.trunc(centre - support + 0.5), 0)
    const taps = Math.min(Math.trunc(centre + support + 0.5), inputSize) - from
    const raw = Array.from({ length: taps }, (_, j) => bicubic((j + from - centre + 0.5) * (1 / widening)))
    const sum = raw.reduce((total, weight) => total + weight, 0)
    first[i] = from
    count[i] = taps
    raw.forEach((weight, j) => {
      const fixed = (weight / sum) * (1 << PRECISION_BITS)
      weights[i * stride + j] = Math.trunc(fixed < 0 ? fixed - 0.5 : fixed + 0.5)
    })
  }
  return { first, count, weights, stride }
}

function bicubic(distance: number): number {
  const a = -0.5
  const x = Math.abs(distance)
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * a
  return 0
}

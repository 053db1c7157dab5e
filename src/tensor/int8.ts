/** Holds the rows of a matrix in bytes: each value is a whole number from -127 to 127 times the scale of its row, in float32 as engines round it. */

export interface Int8Rows {
  /** [rows, depth] */
  readonly bytes: Int8Array<ArrayBuffer>
  /** [rows] */
  readonly scales: Float32Array
}

/** Takes the scale of each row from its largest value, and each value to the nearest, ties to even. A scale is not finite where a value of its row is not. */
export function toInt8Rows(values: Float32Array, depth: number): Int8Rows {
  const bytes = new Int8Array(values.length)
  const scales = new Float32Array(values.length / depth)
  for (let row = 0; row < scales.length; row++) {
    const start = row * depth
    const scale = scaleOf(values, start, depth)
    scales[row] = scale
    if (scale === 0) continue
    for (let i = start; i < start + depth; i++) bytes[i] = wholeOf(Math.fround(values[i] / scale))
  }
  return { bytes, scales }
}

/** Gives the values as float32. */
export function fromInt8Rows({ bytes, scales }: Int8Rows): Float32Array<ArrayBuffer> {
  const values = new Float32Array(bytes.length)
  const depth = bytes.length / scales.length
  for (let row = 0, i = 0; row < scales.length; row++) {
    const scale = scales[row]
    for (const end = i + depth; i < end; i++) values[i] = bytes[i] * scale
  }
  return values
}

/** Tells whether nine tenths of the values of a row, zeros aside, become zero beside its largest: as bytes it would be little but that one value. */
export function isLostInInt8(values: Float32Array, depth: number): boolean {
  for (let start = 0; start < values.length; start += depth) {
    const half = scaleOf(values, start, depth) / 2
    let lost = 0
    let zeros = 0
    for (let i = start; i < start + depth; i++) {
      if (values[i] === 0) zeros++
      else if (Math.abs(values[i]) <= half) lost++
    }
    if (10 * lost > 9 * (depth - zeros)) return true
  }
  return false
}

/** Of up to 127 steps, the quotient is rounded to float32 (2^-18 steps), and so are scale and product (127 * 2^-24 steps each): together less than 2^-15 of half a step. */
const STEP_ROUNDING = 1 + 2 ** -15
/** Scales of the smallest rows are whole multiples of the least number that there is. */
const LEAST_STEP = 2 ** -140

/** Tells whether values are as near to others as their row's bytes round them to, which is half a step of its scale. */
export function isWithinHalfAStep(values: Float32Array, others: Float32Array, depth: number): boolean {
  if (values.length !== others.length) return false
  for (let start = 0; start < values.length; start += depth) {
    const half = (scaleOf(values, start, depth) / 2) * STEP_ROUNDING + LEAST_STEP
    for (let i = start; i < start + depth; i++) if (!(Math.abs(values[i] - others[i]) <= half)) return false
  }
  return true
}

function scaleOf(values: Float32Array, start: number, depth: number): number {
  let largest = 0
  for (let i = start; i < start + depth; i++) {
    const size = Math.abs(values[i])
    // A NaN is larger than all and stays, so that it shows.
    if (size > largest || Number.isNaN(size)) largest = size
  }
  return Math.fround(largest / 127)
}

/** Added and taken away again, it leaves a float32 no room for a fraction. */
const WHOLE = 1.5 * 2 ** 23

/** The scale of a row of the smallest numbers may be rounded so far down that there are quotients beyond 127. */
function wholeOf(quotient: number): number {
  return Math.min(Math.max(Math.fround(quotient + WHOLE) - WHOLE, -127), 127)
}

/** Makes float32 of rows that are stored narrowly, for what computes with them in other ways than finding nearest ones. */
import { float16ToFloat32 } from '../tensor/float16.js'
import type { StoredRows } from './nearest-rows.js'

/** Widens the rows of the given numbers, of rows [N, D] that lie in blocks one behind the other. Throws RangeError for a row that is not there. */
export function widenRows(
  blocks: readonly StoredRows[],
  width: number,
  numbers: ArrayLike<number>,
): Float32Array<ArrayBuffer> {
  const out = new Float32Array(numbers.length * width)
  const starts = startsOf(blocks, width)
  const bits = new Uint16Array(width)
  for (let i = 0; i < numbers.length; i++) {
    const block = blockOf(starts, numbers[i])
    const row = numbers[i] - starts[block]
    const to = out.subarray(i * width, (i + 1) * width)
    const stored = blocks[block]
    if (stored.dtype === 'F16') {
      for (let k = 0, at = 2 * row * width; k < width; k++, at += 2)
        bits[k] = stored.bytes[at] | (stored.bytes[at + 1] << 8)
      float16ToFloat32(bits, to)
    } else {
      for (let k = 0; k < width; k++)
        to[k] = ((stored.bytes[row * width + k] << 24) >> 24) * stored.scales[row]
    }
  }
  return out
}

function startsOf(blocks: readonly StoredRows[], width: number): number[] {
  const starts = [0]
  for (const { dtype, bytes } of blocks)
    starts.push(starts[starts.length - 1] + bytes.length / (width * (dtype === 'F16' ? 2 : 1)))
  return starts
}

function blockOf(starts: readonly number[], row: number): number {
  let low = 0
  let high = starts.length - 1
  if (!(row >= 0 && row < starts[high])) throw new RangeError(`There is no row ${row}.`)
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if (starts[middle] <= row) low = middle
    else high = middle
  }
  return low
}

/** Reads rows of halves, of memory or of a file, some at a time and wide. */
import { float16ToFloat32 } from '../tensor/float16.js'
import type { StoredRows } from './nearest-rows.js'

/** So many bytes of a file are asked for at a time, at most. */
const MOST_BYTES = 1 << 22

/** Gives the rows of the given numbers in float32, [numbers, D]. Those that follow each other in a file are read together. */
export async function widenRows(
  blocks: readonly StoredRows[],
  width: number,
  numbers: ArrayLike<number>,
): Promise<Float32Array<ArrayBuffer>> {
  const out = new Float32Array(numbers.length * width)
  const rowBytes = 2 * width
  const most = Math.max(1, Math.floor(MOST_BYTES / rowBytes))
  for (let from = 0, to = 0; from < numbers.length; from = to) {
    const { bytes, first, end } = blockOf(blocks, rowBytes, numbers[from])
    do to++
    while (
      to < numbers.length &&
      to - from < most &&
      numbers[to] === numbers[to - 1] + 1 &&
      numbers[to] < end
    )
    const [at, until] = [numbers[from] - first, numbers[to - 1] + 1 - first].map((row) => row * rowBytes)
    const some = bytes instanceof Uint8Array ? bytes.subarray(at, until) : await bytes.read(at, until)
    if (some.length !== until - at)
      throw new RangeError(`The file gives ${some.length} bytes of rows, not ${until - at}.`)
    widenBytes(some, out.subarray(from * width, to * width))
  }
  return out
}

function blockOf(blocks: readonly StoredRows[], rowBytes: number, row: number) {
  let first = 0
  for (const { bytes } of blocks) {
    const end = first + bytes.length / rowBytes
    if (row < end) return { bytes, first, end }
    first = end
  }
  throw new RangeError(`There is no row ${row}.`)
}

/** A row of a file may begin at an odd byte, where no array of halves does. */
function widenBytes(bytes: Uint8Array, out: Float32Array): void {
  const bits = new Uint16Array(out.length)
  for (let i = 0; i < bits.length; i++) bits[i] = bytes[2 * i] | (bytes[2 * i + 1] << 8)
  float16ToFloat32(bits, out)
}

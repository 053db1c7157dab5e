/** Reads single embeddings out of those of all photos. */
import type { StoredRows } from '../../numerics/nearest-rows.js'
import { float16ToFloat32 } from '../../tensor/float16.js'

/** Gives the rows of these numbers, which rise, as float64 [N, D], in which `dot` multiplies. */
export async function embeddingsAt(
  blocks: readonly StoredRows[],
  width: number,
  rows: readonly number[],
): Promise<Float64Array> {
  const values = new Float64Array(rows.length * width)
  const row = new Float32Array(width)
  const bits = new Uint16Array(width)
  let [block, first] = [0, 0]
  for (const [place, number] of rows.entries()) {
    let bytes = bytesOf(blocks[block])
    while ((number - first + 1) * width * 2 > bytes.length) {
      first += bytes.length / (width * 2)
      bytes = bytesOf(blocks[++block])
    }
    const from = (number - first) * width * 2
    // A row may begin at an odd byte.
    new Uint8Array(bits.buffer).set(bytes.subarray(from, from + width * 2))
    float16ToFloat32(bits, row)
    values.set(row, place * width)
  }
  return values
}

function bytesOf(block: StoredRows | undefined): Uint8Array {
  if (block?.dtype !== 'F16') throw new RangeError('There is no such row of halves.')
  return block.bytes
}

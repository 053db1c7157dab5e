/** Reads single rows of a table, such as those that a text's tokens ask for of hundreds of megabytes, and nothing else of it. */
import { atOnce } from '../at-once.js'
import { concatenateBytes } from '../tensor/concatenate.js'
import { BYTES_PER_ELEMENT } from '../tensor/dtype.js'
import { elementCount } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import type { FoundTensor } from './checkpoint.js'
import { readRange } from './read-range.js'

/** Is enough to hide the way to a server, and little for a disk. */
const READS_AT_ONCE = 8

/**
 * Gives the rows in the order in which they are asked for; one that is asked for twice is read once. A tensor whose elements do not lie in the file as they are, one
 * after the other, is read whole: one in a compressed file, in bytes with scales, or a view of another one.
 *
 * Throws `RangeError` for a row that is not there, `CheckpointError`, the signal's reason.
 */
export async function readRows(
  tensor: FoundTensor,
  name: string,
  rows: readonly number[],
  signal: AbortSignal | undefined,
): Promise<Tensor> {
  const [count = 0, ...columns] = tensor.shape
  const wrong = rows.find((row) => !(Number.isInteger(row) && row >= 0 && row < count))
  if (wrong !== undefined) throw new RangeError(`${name} has rows 0 to ${count - 1}, and none ${wrong}.`)
  const rowBytes = elementCount(columns) * BYTES_PER_ELEMENT[tensor.dtype]
  const read = await rowReader(tensor, name, rowBytes, signal)
  const distinct = [...new Set(rows)]
  const found = await atOnce(distinct, READS_AT_ONCE, read)
  const byRow = new Map(distinct.map((row, i) => [row, found[i]]))
  const bytes = concatenateBytes(rows.flatMap((row) => byRow.get(row) ?? []))
  return { dtype: tensor.dtype, shape: [rows.length, ...columns], bytes }
}

async function rowReader(
  tensor: FoundTensor,
  name: string,
  rowBytes: number,
  signal: AbortSignal | undefined,
): Promise<(row: number) => Promise<Uint8Array>> {
  const place = await tensor.findBytes?.()
  if (place !== undefined && place.scales === undefined) {
    const { source, offset } = place
    return (row) => readRange(source, offset + row * rowBytes, rowBytes, name, signal)
  }
  const whole = await tensor.readBytes()
  return async (row) => whole.subarray(row * rowBytes, (row + 1) * rowBytes)
}

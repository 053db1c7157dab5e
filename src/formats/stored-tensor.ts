/** A tensor that is written knows what it is before anybody has its bytes: a file's header is made of all of them, and bytes are asked for one tensor at a time. */
import type { DType } from '../tensor/dtype.js'
import { BYTES_PER_ELEMENT } from '../tensor/dtype.js'
import { elementCount, type Shape } from '../tensor/shape.js'

export interface StoredTensor {
  readonly name: string
  readonly dtype: DType
  readonly shape: Shape
  /** Gives the elements: little-endian, row-major, as many bytes as type and shape say. */
  read(): Promise<Uint8Array>
}

/** Counts the bytes of a tensor's elements. */
export function byteLengthOf({ dtype, shape }: Pick<StoredTensor, 'dtype' | 'shape'>): number {
  return elementCount(shape) * BYTES_PER_ELEMENT[dtype]
}

/** Throws RangeError where a tensor gives other than it said, since all that follows would lie in a wrong place. */
export async function readStored(tensor: StoredTensor): Promise<Uint8Array> {
  const bytes = await tensor.read()
  const expected = byteLengthOf(tensor)
  if (bytes.byteLength === expected) return bytes
  throw new RangeError(
    `${tensor.name} gave ${bytes.byteLength} bytes, and [${tensor.shape.join(', ')}] of ${tensor.dtype} has ${expected}.`,
  )
}

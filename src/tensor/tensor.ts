/** A stored tensor is little-endian bytes with a type and a shape. They become float32 here and nowhere else. */
import { BYTES_PER_ELEMENT, type DType } from './dtype.js'
import { float16ToFloat32 } from './float16.js'
import { elementCount, type Shape } from './shape.js'

/** Is a stored tensor: little-endian bytes with a type and a shape. `toFloat32` makes numbers of it. */
export interface Tensor {
  /** Names the type of its elements. */
  readonly dtype: DType
  /** Gives its sizes, outermost first. */
  readonly shape: Shape
  /** Holds the elements row-major and without gaps: `elementCount(shape) * BYTES_PER_ELEMENT[dtype]` bytes. */
  readonly bytes: Uint8Array
}

/** Makes a tensor of existing numbers without copying them. */
export function float32Tensor(values: Float32Array, shape: Shape): Tensor {
  return { dtype: 'F32', shape, bytes: new Uint8Array(values.buffer, values.byteOffset, values.byteLength) }
}

/**
 * Gives the elements as float32: a view where the bytes are aligned float32 already, else a widened copy.
 * float16 and bfloat16 widen exactly; float64 and integers round to the nearest float32. Throws a `RangeError` where the bytes
 * do not make the shape.
 */
export function toFloat32(tensor: Tensor): Float32Array {
  const count = elementCount(tensor.shape)
  const { bytes, dtype } = tensor
  if (bytes.byteLength !== count * BYTES_PER_ELEMENT[dtype]) {
    throw new RangeError(
      `${count} elements of ${dtype} need ${count * BYTES_PER_ELEMENT[dtype]} bytes, got ${bytes.byteLength}`,
    )
  }
  if (dtype === 'F32') return new Float32Array(...aligned(bytes, 4), count)
  const out = new Float32Array(count)
  switch (dtype) {
    case 'F16': {
      float16ToFloat32(new Uint16Array(...aligned(bytes, 2), count), out)
      return out
    }
    case 'BF16': {
      const from = new Uint16Array(...aligned(bytes, 2), count)
      const bits = new Uint32Array(out.buffer)
      for (let i = 0; i < count; i++) bits[i] = from[i] << 16
      return out
    }
    case 'I64':
    case 'U64': {
      const [buffer, offset] = aligned(bytes, 8)
      const from =
        dtype === 'I64' ? new BigInt64Array(buffer, offset, count) : new BigUint64Array(buffer, offset, count)
      for (let i = 0; i < count; i++) out[i] = Number(from[i])
      return out
    }
    default: {
      const Source = NUMBER_ARRAYS[dtype]
      out.set(new Source(...aligned(bytes, BYTES_PER_ELEMENT[dtype]), count))
      return out
    }
  }
}

const NUMBER_ARRAYS = {
  F64: Float64Array,
  I32: Int32Array,
  U32: Uint32Array,
  I16: Int16Array,
  U16: Uint16Array,
  I8: Int8Array,
  U8: Uint8Array,
  BOOL: Uint8Array,
} as const

/** Copies where it must: typed arrays need aligned offsets, and a checkpoint's bytes need not have them. */
function aligned(bytes: Uint8Array, alignment: number): [ArrayBuffer, number] {
  if (bytes.byteOffset % alignment === 0) return [bytes.buffer as ArrayBuffer, bytes.byteOffset]
  // `slice` is not used, since that of a Node Buffer does not copy.
  return [new Uint8Array(bytes).buffer, 0]
}

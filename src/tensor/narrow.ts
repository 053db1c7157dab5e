/** Narrows float32 to the types in which weights are stored, each value to the nearest, ties to even, and counts what was not kept. */
import { float16ToFloat32, toHalf } from './float16.js'

/** Names a type in which weights are stored. */
export type StoredFloat = 'F32' | 'F16' | 'BF16'

export interface Narrowed {
  /** Holds the elements, little-endian. */
  readonly bytes: Uint8Array
  /** Counts the values that the narrower type has changed. */
  readonly changed: number
  /** Is the first finite value that became infinite; null where none did. */
  readonly overflow: number | null
}

export function narrow(values: Float32Array, dtype: StoredFloat): Narrowed {
  if (dtype === 'F32') return { bytes: bytesOf(values), changed: 0, overflow: null }
  const bits = dtype === 'F16' ? toHalf(values) : toBfloat16(values)
  const back = new Float32Array(values.length)
  if (dtype === 'F16') float16ToFloat32(bits, back)
  else new Uint32Array(back.buffer).set(Uint32Array.from(bits, (half) => half << 16))
  let changed = 0
  let overflow: number | null = null
  for (let i = 0; i < values.length; i++) {
    if (Object.is(back[i], values[i])) continue
    changed++
    if (Number.isFinite(values[i]) && !Number.isFinite(back[i])) overflow ??= values[i]
  }
  return { bytes: bytesOf(bits), changed, overflow }
}

/** Keeps the upper half of the bits, rounded; a NaN stays one. */
function toBfloat16(values: Float32Array): Uint16Array<ArrayBuffer> {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length)
  const out = new Uint16Array(values.length)
  for (let i = 0; i < out.length; i++) {
    const value = bits[i]
    out[i] =
      (value & 0x7fffffff) > 0x7f800000
        ? (value >>> 16) | 0x40
        : (value + 0x7fff + ((value >>> 16) & 1)) >>> 16
  }
  return out
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array | Uint16Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength)
}

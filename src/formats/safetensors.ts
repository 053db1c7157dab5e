/** Writes tensors as a safetensors file: float32 or float16 arrays that are in memory, or tensors of any type whose bytes are asked for one after the other. */
import type { DType } from '../tensor/dtype.js'
import { elementCount, type Shape } from '../tensor/shape.js'
import { bytesOf } from './chunk.js'
import { byteLengthOf, readStored, type StoredTensor } from './stored-tensor.js'

export interface NamedArray {
  readonly name: string
  readonly shape: Shape
  /** Is float32, or bit patterns of float16. */
  readonly values: Float32Array | Uint16Array
}

const SPACE = 0x20

/** The arrays stand in the order given; `metadata` becomes `__metadata__`. Throws RangeError where numbers and shape disagree. */
export function safetensorsFile(
  arrays: readonly NamedArray[],
  metadata: Readonly<Record<string, string>>,
): readonly Uint8Array[] {
  for (const { name, shape, values } of arrays) {
    if (values.length !== elementCount(shape)) {
      throw new RangeError(
        `${name} has ${values.length} numbers where [${shape.join(', ')}] has ${elementCount(shape)}`,
      )
    }
  }
  const tensors = arrays.map(({ name, shape, values }) => ({
    name,
    shape,
    dtype: values instanceof Uint16Array ? ('F16' as const) : ('F32' as const),
  }))
  return [safetensorsHeader(tensors, metadata), ...arrays.map(({ values }) => bytesOf(values))]
}

/** Gives the file piece by piece; one tensor is in memory at a time. Throws RangeError where a tensor gives other bytes than it said. */
export async function* streamSafetensors(
  tensors: readonly StoredTensor[],
  metadata: Readonly<Record<string, string>>,
): AsyncGenerator<Uint8Array> {
  yield safetensorsHeader(tensors, metadata)
  for (const tensor of tensors) yield await readStored(tensor)
}

interface Described {
  readonly name: string
  readonly dtype: DType
  readonly shape: Shape
}

/** The header is padded with spaces, so that the numbers lie aligned for whoever maps the file. */
function safetensorsHeader(
  tensors: readonly Described[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  let offset = 0
  const described = tensors.map((tensor) => {
    const { name, dtype, shape } = tensor
    const start = offset
    offset += byteLengthOf(tensor)
    return [name, { dtype, shape, data_offsets: [start, offset] }] as const
  })
  // A record made of entries takes each name as it is, `__proto__` too.
  const header = Object.fromEntries([['__metadata__', metadata] as const, ...described])
  const json = new TextEncoder().encode(JSON.stringify(header))
  const padded = Math.ceil(json.length / 8) * 8
  const bytes = new Uint8Array(8 + padded).fill(SPACE)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(padded), true)
  bytes.set(json, 8)
  return bytes
}

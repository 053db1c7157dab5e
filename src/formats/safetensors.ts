/** Writes float32 tensors as a safetensors file. */
import { elementCount, type Shape } from '../tensor/shape.js'
import { bytesOf, type Chunk } from './chunk.js'

export interface NamedArray {
  readonly name: string
  readonly shape: Shape
  readonly values: Float32Array
}

const SPACE = 0x20

/** The arrays stand in the order given; `metadata` becomes `__metadata__`. Throws RangeError where numbers and shape disagree. */
export function safetensorsFile(
  arrays: readonly NamedArray[],
  metadata: Readonly<Record<string, string>>,
): readonly Chunk[] {
  const header: Record<string, unknown> = { __metadata__: metadata }
  let offset = 0
  for (const { name, shape, values } of arrays) {
    if (values.length !== elementCount(shape)) {
      throw new RangeError(
        `${name} has ${values.length} numbers where [${shape.join(', ')}] has ${elementCount(shape)}`,
      )
    }
    header[name] = { dtype: 'F32', shape, data_offsets: [offset, offset + values.byteLength] }
    offset += values.byteLength
  }
  return [safetensorsHeader(header), ...arrays.map(({ values }) => bytesOf(values))]
}

/** The header is padded with spaces, so that the numbers lie aligned for whoever maps the file. */
function safetensorsHeader(header: Readonly<Record<string, unknown>>): Uint8Array {
  const json = new TextEncoder().encode(JSON.stringify(header))
  const padded = Math.ceil(json.length / 8) * 8
  const bytes = new Uint8Array(8 + padded).fill(SPACE)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(padded), true)
  bytes.set(json, 8)
  return bytes
}

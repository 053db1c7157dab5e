/** Float32 tensors as a safetensors file. */
import { elementCount, type Shape } from '../../../tensor/shape.js'
import { writeWhole } from './write-whole.js'

export interface NamedArray {
  readonly name: string
  readonly shape: Shape
  readonly values: Float32Array
}

/** In the order given; `metadata` becomes `__metadata__`. */
export async function writeSafetensors(
  path: string,
  arrays: readonly NamedArray[],
  metadata: Readonly<Record<string, string>>,
): Promise<void> {
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
  const json = Buffer.from(JSON.stringify(header), 'utf8')
  // Padded with spaces, so that the numbers lie aligned for whoever maps the file.
  const padded = Math.ceil(json.length / 8) * 8
  const start = Buffer.alloc(8 + padded, ' ', 'latin1')
  start.writeBigUInt64LE(BigInt(padded), 0)
  json.copy(start, 8)
  await writeWhole(path, async (file) => {
    await file.write(start)
    for (const { values } of arrays) {
      await file.write(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
    }
  })
}

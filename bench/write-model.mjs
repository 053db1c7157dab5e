/** Writes a checkpoint in memory as a safetensors file of Birder's layout, a tensor at a time. A file that exists is kept and reused. */
import { existsSync } from 'node:fs'
import { open, rename } from 'node:fs/promises'

/**
 * @param {{ tensors: ReadonlyMap<string, { dtype: string, shape: readonly number[], byteLength: number }>, read(name: string): Promise<{ bytes: Uint8Array }>, metadata: object }} checkpoint
 * @param {string} path
 */
export async function writeModel(checkpoint, path) {
  if (existsSync(path)) return path
  const header = {
    __metadata__: {
      birder_version: 'v0.8.4',
      task: 'image_classification',
      signature: JSON.stringify(checkpoint.metadata.signature),
      class_to_idx: '{}',
      rgb_stats: JSON.stringify({ mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] }),
    },
  }
  let offset = 0
  for (const [name, { dtype, shape, byteLength }] of checkpoint.tensors) {
    header[name] = { dtype, shape, data_offsets: [offset, offset + byteLength] }
    offset += byteLength
  }
  let text = JSON.stringify(header)
  text = text.padEnd(Math.ceil(text.length / 8) * 8)
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(text.length))
  const file = await open(`${path}.new`, 'w')
  try {
    await file.write(length)
    await file.write(Buffer.from(text))
    for (const name of checkpoint.tensors.keys()) await file.write((await checkpoint.read(name)).bytes)
  } finally {
    await file.close()
  }
  await rename(`${path}.new`, path)
  return path
}

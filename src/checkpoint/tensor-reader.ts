/** The `read` of every checkpoint: unknown names and wrong shapes fail by name, before anything is read. */
import type { Shape } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import type { TensorInfo } from './checkpoint.js'
import { assertShape, CheckpointError } from './checkpoint-error.js'

/** `readBytes` gives the tensor's elements: little-endian, row-major, in memory of their own. */
export function tensorReader<Stored extends TensorInfo>(
  label: string,
  tensors: ReadonlyMap<string, Stored>,
  readBytes: (stored: Stored, name: string) => Promise<Uint8Array>,
): (name: string, shape?: Shape) => Promise<Tensor> {
  return async (name, shape) => {
    const stored = tensors.get(name)
    if (stored === undefined) {
      throw new CheckpointError(
        'missing-tensor',
        `${label} has no tensor ${name}; it holds ${tensors.size} others`,
        { tensor: name },
      )
    }
    if (shape !== undefined) assertShape(name, stored.shape, shape)
    return { dtype: stored.dtype, shape: stored.shape, bytes: await readBytes(stored, name) }
  }
}

/** Makes a checkpoint of what a format's reader has found, so that `read` judges names and shapes alike whatever the format. */
import type { FileCheckpoint, TensorInfo } from './checkpoint.js'
import { assertShape, CheckpointError } from './checkpoint-error.js'

/** A reader keeps the place of each tensor's bytes beside what everybody may know about it. */
interface FoundCheckpoint<Stored extends TensorInfo> extends Omit<FileCheckpoint, 'tensors' | 'read'> {
  readonly tensors: ReadonlyMap<string, Stored>
}

/** `readBytes` gives a tensor's elements: little-endian, row-major, in memory of their own. */
export function assembleCheckpoint<Stored extends TensorInfo>(
  found: FoundCheckpoint<Stored>,
  readBytes: (stored: Stored, name: string) => Promise<Uint8Array>,
): FileCheckpoint {
  const { label, tensors } = found
  return {
    ...found,
    async read(name, shape) {
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
    },
  }
}

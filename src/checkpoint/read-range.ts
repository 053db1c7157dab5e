/** Reads a part of a file whose place another part of the file claims, and judges the claim before memory is taken. */
import type { ByteSource } from './checkpoint.js'
import { CheckpointError } from './checkpoint-error.js'

/** Gives `length` bytes from `offset`; `what` names the part in the error. Throws `truncated` where the file ends before. */
export async function readRange(
  source: ByteSource,
  offset: number,
  length: number,
  what: string,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  signal?.throwIfAborted()
  if (!(offset >= 0 && length >= 0 && offset + length <= source.size)) {
    throw new CheckpointError(
      'truncated',
      `${source.label}: ${what} is said to be the ${length} bytes from ${offset}, but the file has ${source.size} bytes. ` +
        'Was it downloaded completely?',
    )
  }
  const bytes = await source.read(offset, length)
  signal?.throwIfAborted()
  return bytes
}

/** Reads from open files: the system may give less than it was asked for, and Node asks for 2 GiB at most. */
import type { FileHandle } from 'node:fs/promises'

/** Reads of this size can be given up between two of them. */
const PIECE = 2 ** 30

/** Fills the memory from an offset of the file, and gives the number of bytes: less than the memory has where the file ends. Throws the signal's reason. */
export async function readFully(
  handle: FileHandle,
  memory: Uint8Array,
  offset: number,
  signal?: AbortSignal,
): Promise<number> {
  let filled = 0
  while (filled < memory.length) {
    signal?.throwIfAborted()
    const count = Math.min(PIECE, memory.length - filled)
    const { bytesRead } = await handle.read(memory, filled, count, offset + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return filled
}

/** Computes the sha256 of a file, which is read a piece at a time. */
import { createHash, type Hash } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'

const PIECE = 1 << 20

/** Gives 64 hexadecimal digits. `onBytes` hears how far it is. */
export async function hashFile(
  path: string,
  options: { readonly signal?: AbortSignal | undefined; readonly onBytes?: (read: number) => void } = {},
): Promise<string> {
  const file = await open(path, 'r')
  try {
    const hash = createHash('sha256')
    await hashHandle(file, hash, options)
    return hash.digest('hex')
  } finally {
    await file.close()
  }
}

/** Feeds all of an open file into `hash` and returns how many bytes that were. */
export async function hashHandle(
  file: FileHandle,
  hash: Hash,
  options: { readonly signal?: AbortSignal | undefined; readonly onBytes?: (read: number) => void } = {},
): Promise<number> {
  const piece = Buffer.allocUnsafe(PIECE)
  let position = 0
  while (true) {
    options.signal?.throwIfAborted()
    const { bytesRead } = await file.read(piece, 0, PIECE, position)
    if (bytesRead === 0) return position
    hash.update(piece.subarray(0, bytesRead))
    position += bytesRead
    options.onBytes?.(position)
  }
}

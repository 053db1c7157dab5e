/** Reads the head of an open file of packed weights. */
import type { FileHandle } from 'node:fs/promises'
import { type ReadHeader, readPackedHeader } from './packed-header.js'

/** Gives the head, or why it is none in a few words. Throws what the system throws. */
export async function readHead(handle: FileHandle): Promise<ReadHeader | string> {
  const { size } = await handle.stat()
  return await readPackedHeader((offset, length) => readAt(handle, offset, length), size)
}

/** Gives fewer bytes where the file ends. */
export async function readAt(handle: FileHandle, offset: number, length: number): Promise<Uint8Array> {
  const buffer = Buffer.alloc(length)
  let filled = 0
  while (filled < length) {
    const { bytesRead } = await handle.read(buffer, filled, length - filled, offset + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return buffer.subarray(0, filled)
}

/** Makes sources of bytes in memory, one of which counts what is asked of it. */
import type { ByteSource } from '../../src/checkpoint/checkpoint.js'

export function memorySource(bytes: Uint8Array, label = 'memory'): ByteSource {
  return { label, size: bytes.length, read: async (offset, length) => bytes.slice(offset, offset + length) }
}

export interface CountingSource extends ByteSource {
  /** Counts the bytes asked for so far, all reads together. */
  bytesRead(): number
}

export function countingSource(source: ByteSource): CountingSource {
  let total = 0
  return {
    label: source.label,
    size: source.size,
    read: (offset, length) => {
      total += length
      return source.read(offset, length)
    },
    bytesRead: () => total,
  }
}

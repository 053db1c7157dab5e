/** Gathers what is written into parts of one length, but for the last: some servers take no others. */
import type { Chunks } from '../../../../formats/chunk.js'

export interface Part {
  readonly bytes: Uint8Array
  readonly isLast: boolean
}

/** Gives at least one part, which may be empty. */
export async function* gatherParts(chunks: Chunks, partBytes: number): AsyncGenerator<Part> {
  let part = Buffer.allocUnsafeSlow(partBytes)
  let size = 0
  for await (const chunk of chunks) {
    let rest = typeof chunk === 'string' ? Buffer.from(chunk, 'utf8') : chunk
    while (rest.length > 0) {
      // A part that is full is given once it is known that another follows it.
      if (size === partBytes) {
        yield { bytes: part, isLast: false }
        part = Buffer.allocUnsafeSlow(partBytes)
        size = 0
      }
      // Whoever gave the bytes may use their memory anew.
      const piece = rest.subarray(0, partBytes - size)
      part.set(piece, size)
      size += piece.length
      rest = rest.subarray(piece.length)
    }
  }
  yield { bytes: part.subarray(0, size), isLast: true }
}

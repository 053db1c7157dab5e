/** Tells a checkpoint from others without reading all of it. Results name it as part of their identity, so it is the same on every platform. */
import type { ByteSource } from './checkpoint.js'

const CHUNK = 64 * 1024
const CHUNKS = 16

/**
 * Gives 12 hex digits of a hash over the size and evenly spaced pieces of the file, the first and the last among them. It is no proof
 * against somebody who wants to deceive; downloads are checked by their whole SHA-256.
 *
 * @param sha256 hashes the pieces one behind the other, as the platform does it best, and gives hex digits
 */
export async function fingerprintOf(
  source: ByteSource,
  sha256: (pieces: readonly Uint8Array[]) => string,
): Promise<string> {
  const pieces: Uint8Array[] = [new TextEncoder().encode(`${source.size}`)]
  const last = Math.max(source.size - CHUNK, 0)
  for (let i = 0; i < CHUNKS; i++) {
    const offset = Math.round((i / (CHUNKS - 1)) * last)
    pieces.push(await source.read(offset, Math.min(CHUNK, source.size)))
  }
  return sha256(pieces).slice(0, 12)
}

/**
 * Tells a checkpoint from others without reading all of it. Results name it as part of their identity, so it is the same on every platform:
 * the first 12 hex digits of a SHA-256 over the size, as text, and evenly spaced pieces of the file.
 *
 * It is no proof against somebody who wants to deceive; downloads are checked by their whole SHA-256.
 */

const PIECE = 64 * 1024
const PIECES = 16
export const FINGERPRINT_DIGITS = 12

/** Gives where the pieces lie, the first and the last of the file among them, for a file of `size` bytes. */
export function fingerprintPieces(
  size: number,
): readonly { readonly offset: number; readonly length: number }[] {
  const last = Math.max(size - PIECE, 0)
  return Array.from({ length: PIECES }, (_, index) => ({
    offset: Math.round((index / (PIECES - 1)) * last),
    length: Math.min(PIECE, size),
  }))
}

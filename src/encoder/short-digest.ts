/** Shortens digests to what a person can compare; wherever they decide they are whole. */
const SHOWN_DIGITS = 12

export function shortDigest(digest: string): string {
  return digest.slice(0, SHOWN_DIGITS)
}

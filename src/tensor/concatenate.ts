/** Copies the parts into one array, one behind the other: matrices of equal width end up one below the other. */
export function concatenate(parts: readonly Float32Array[]): Float32Array {
  return fill(new Float32Array(lengthOf(parts)), parts)
}

/** Copies the parts into memory of their own, one behind the other. */
export function concatenateBytes(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return fill(new Uint8Array(lengthOf(parts)), parts)
}

interface Part {
  readonly length: number
}

function lengthOf(parts: readonly Part[]): number {
  return parts.reduce((sum, { length }) => sum + length, 0)
}

function fill<P extends Part, Whole extends { set(part: P, at: number): void }>(
  whole: Whole,
  parts: readonly P[],
): Whole {
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

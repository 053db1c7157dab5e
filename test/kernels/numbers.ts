/** Makes the numbers that make-expected.py makes, and lays pictures out as plans have them. */

export function numbers(count: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => (((i * 37 + 11) % 33) - 16) / 8)
}

/** Turns [C, pixels] into [pixels, C]. */
export function rowsOfPlanes(planes: Float32Array, channels: number): Float32Array {
  const pixels = planes.length / channels
  return Float32Array.from(
    planes,
    (_, i) => planes[(i % channels) * pixels + Math.floor(i / channels)] ?? NaN,
  )
}

/** Converts IEEE binary16: widens exactly, narrows to the nearest. Typed arrays of halves do not exist in every runtime yet. */

let table: Float32Array | null = null

/** Widens each half-precision bit pattern; infinities and NaN are kept. */
export function float16ToFloat32(bits: Uint16Array, out: Float32Array): void {
  table ??= widenedHalves()
  for (let i = 0; i < bits.length; i++) out[i] = table[bits[i]]
}

/** There are only 65,536 halves, so all are widened once and looked up from then on. */
function widenedHalves(): Float32Array {
  const widened = new Float32Array(65536)
  for (let half = 0; half < widened.length; half++) {
    const sign = half & 0x8000 ? -1 : 1
    const exponent = (half >> 10) & 31
    const fraction = half & 1023
    if (exponent === 31) widened[half] = fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
    else if (exponent === 0) widened[half] = sign * fraction * 2 ** -24
    else widened[half] = sign * (1024 + fraction) * 2 ** (exponent - 25)
  }
  return widened
}

/** Narrows to the nearest half, ties to even; what is too large becomes infinity, a NaN stays one. */
export function toHalf(values: Float32Array): Uint16Array<ArrayBuffer> {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length)
  const out = new Uint16Array(values.length)
  for (let i = 0; i < out.length; i++) out[i] = halfOf(bits[i])
  return out
}

function halfOf(bits: number): number {
  const sign = (bits >>> 16) & 0x8000
  const size = bits & 0x7fffffff
  if (size > 0x7f800000) return sign | 0x7e00
  // Infinity begins in the middle between the largest half and what would be the next.
  if (size >= 0x477ff000) return sign | 0x7c00
  if (size >= 0x38800000) return sign | ((size - 0x38000000 + 0xfff + ((size >>> 13) & 1)) >>> 13)
  // Below the smallest normal half, values are counted in steps of 2^-24.
  const exponent = size >>> 23
  if (exponent < 102) return sign
  const fraction = (size & 0x7fffff) | 0x800000
  const shift = 126 - exponent
  const whole = fraction >>> shift
  const rest = fraction - whole * 2 ** shift
  const half = 2 ** (shift - 1)
  return sign | (whole + (rest > half || (rest === half && whole % 2 === 1) ? 1 : 0))
}

/** Converts IEEE binary16: widens exactly, narrows to the nearest. Typed arrays of halves do not exist in every runtime yet. */

let table: Float32Array | null = null

/** Widens each half-precision bit pattern; infinities and NaN are kept. */
export function float16ToFloat32(bits: Uint16Array, out: Float32Array): void {
  table ??= widenedHalves()
  for (let i = 0; i < bits.length; i++) out[i] = table[bits[i]]
}

/**
 * There are only 65,536 halves, so all are widened once and looked up from then on. Each power of two is computed once: the first load of a process runs this
 * before it is compiled.
 */
function widenedHalves(): Float32Array {
  const widened = new Float32Array(65536)
  for (let exponent = 0; exponent < 32; exponent++) {
    const step = exponent === 0 ? 2 ** -24 : 2 ** (exponent - 25)
    const whole = exponent === 0 ? 0 : 1024
    const from = exponent << 10
    for (let fraction = 0; fraction < 1024; fraction++) {
      const value = (whole + fraction) * step
      widened[from + fraction] = value
      widened[0x8000 + from + fraction] = -value
    }
  }
  widened.fill(Number.NaN, 0x7c00, 0x8000).fill(Number.NaN, 0xfc00)
  widened[0x7c00] = Number.POSITIVE_INFINITY
  widened[0xfc00] = Number.NEGATIVE_INFINITY
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

/** IEEE binary16: widened exactly, narrowed to the nearest. All 65,536 values are tabulated on first use. */

const table = new Float32Array(65536)
let filled = false

/** Widens each half-precision bit pattern; infinities and NaN are kept. */
export function float16ToFloat32(bits: Uint16Array, out: Float32Array): void {
  if (!filled) fillTable()
  for (let i = 0; i < bits.length; i++) out[i] = table[bits[i]]
}

function fillTable(): void {
  for (let half = 0; half < 65536; half++) {
    const sign = half & 0x8000 ? -1 : 1
    const exponent = (half >> 10) & 31
    const fraction = half & 1023
    if (exponent === 31) table[half] = fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
    else if (exponent === 0) table[half] = sign * fraction * 2 ** -24
    else table[half] = sign * (1024 + fraction) * 2 ** (exponent - 25)
  }
  filled = true
}

/** To the nearest half, ties to even; what is too large becomes infinity, a NaN stays one. */
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
  // From the middle between the largest half and what would be the next.
  if (size >= 0x477ff000) return sign | 0x7c00
  if (size >= 0x38800000) return sign | ((size - 0x38000000 + 0xfff + ((size >>> 13) & 1)) >>> 13)
  // Below the smallest normal half: counted in steps of 2^-24.
  const exponent = size >>> 23
  if (exponent < 102) return sign
  const fraction = (size & 0x7fffff) | 0x800000
  const shift = 126 - exponent
  const whole = fraction >>> shift
  const rest = fraction - whole * 2 ** shift
  const half = 2 ** (shift - 1)
  return sign | (whole + (rest > half || (rest === half && whole % 2 === 1) ? 1 : 0))
}

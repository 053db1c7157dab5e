/** IEEE binary16, exactly widened. All 65,536 values are tabulated on first use. */

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

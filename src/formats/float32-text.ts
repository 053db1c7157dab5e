/**
 * Writes the shortest decimal that reads back as the same float32, in the notation that polars has (and so Birder's CSV files):
 * `0.1`, `1.0`, `12340000000.0`, `1.5e-7`, `1e+16`. Every one is valid JSON too.
 */
export function float32Text(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? 'inf' : '-inf'
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0'
  const { digits, exponent } = shortestDigits(Math.abs(value))
  return (value < 0 ? '-' : '') + place(digits, exponent)
}

/** The value is 0.digits * 10 ** exponent. */
interface Decimal {
  readonly digits: string
  readonly exponent: number
}

/** 9 significant digits always suffice for a float32; most weights of a network need 7 to 9, so the search starts there. */
function shortestDigits(value: number): Decimal {
  let precision = 7
  let best = roundTripOrNull(value, precision)
  if (best === null) {
    while (best === null) best = roundTripOrNull(value, ++precision)
    return parse(best)
  }
  while (precision > 1) {
    const shorter = roundTripOrNull(value, --precision)
    if (shorter === null) break
    best = shorter
  }
  return parse(best)
}

/** Finds the decimal of so many digits that is nearest to the value among those that read back as it, or null if none does. */
function roundTripOrNull(value: number, precision: number): string | null {
  const nearest = nearestDecimal(value, precision)
  if (Math.fround(Number(nearest)) === value) return nearest
  // Below a power of two the float32 numbers lie closer than above it: the next decimal up may do where the nearest does not.
  if (!isPowerOfTwo(value)) return null
  const step = 10 ** (split(nearest).exponent - (precision - 1))
  const above = (Number(nearest) + step).toExponential(precision - 1)
  return Math.fround(Number(above)) === value ? above : null
}

/** `toExponential` takes the larger of two decimals that are equally near; the custom, here and in polars, is the even one. */
function nearestDecimal(value: number, precision: number): string {
  const nearest = value.toExponential(precision - 1)
  const { mantissa, exponent } = split(nearest)
  const last = Number(mantissa.slice(-1))
  const isOdd = last % 2 === 1
  if (!isOdd || !/5e/.test(value.toExponential(precision))) return nearest
  // It lies half-way only if the exact value ends there.
  if (!/50{30}e/.test(value.toExponential(precision + 30))) return nearest
  return `${mantissa.slice(0, -1)}${last - 1}e${exponent}`
}

function isPowerOfTwo(value: number): boolean {
  return Number.isInteger(Math.log2(value)) && 2 ** Math.log2(value) === value
}

function parse(text: string): Decimal {
  const { mantissa, exponent } = split(text)
  return { digits: mantissa.replace('.', '').replace(/0+$/, ''), exponent: exponent + 1 }
}

/** `1.5e-7` -> `1.5` and -7. */
function split(text: string): { readonly mantissa: string; readonly exponent: number } {
  const letter = text.indexOf('e')
  return { mantissa: text.slice(0, letter), exponent: Number(text.slice(letter + 1)) }
}

function place(digits: string, exponent: number): string {
  const count = digits.length
  if (exponent > 13 || exponent <= -6) {
    const fraction = count === 1 ? '' : `.${digits.slice(1)}`
    return `${digits.slice(0, 1)}${fraction}e${exponent > 0 ? '+' : ''}${exponent - 1}`
  }
  if (exponent <= 0) return `0.${'0'.repeat(-exponent)}${digits}`
  if (count <= exponent) return `${digits.padEnd(exponent, '0')}.0`
  return `${digits.slice(0, exponent)}.${digits.slice(exponent)}`
}

/**
 * Computes the error function to float64 accuracy (about 1e-16 absolute), for the exact GELU.
 *
 *     erf(x) = 2 / sqrt(pi) * exp(-x^2) * x * sum over n of (2 x^2)^n / (1 * 3 * 5 ... (2 n + 1))
 *
 * All terms have one sign, so nothing cancels (Abramowitz and Stegun 7.1.6). Beyond 6 the result is 1 to the last bit.
 */
export function erf(x: number): number {
  if (Number.isNaN(x)) return x
  if (Math.abs(x) > 6) return Math.sign(x)
  const square = x * x
  let term = x
  let sum = x
  for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
    term *= (2 * square) / (2 * n + 1)
    sum += term
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-square) * sum
}

/** Multiplies `width` numbers of `a` with as many of `b`. Four sums run side by side, since each waits for its last addition. */
export function dot(a: Float64Array, atA: number, b: Float64Array, atB: number, width: number): number {
  let [first, second, third, fourth] = [0, 0, 0, 0]
  let i = 0
  for (; i + 4 <= width; i += 4) {
    first += a[atA + i] * b[atB + i]
    second += a[atA + i + 1] * b[atB + i + 1]
    third += a[atA + i + 2] * b[atB + i + 2]
    fourth += a[atA + i + 3] * b[atB + i + 3]
  }
  for (; i < width; i++) first += a[atA + i] * b[atB + i]
  return first + second + (third + fourth)
}

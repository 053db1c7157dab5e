// Computes products over rows of features, which are no network's: src/engine/wasm/wasm-products.ts lays them out.

import { dot, madd } from './functions'

// A panel has so many columns of the rows, one row behind the other.
const COLUMNS: i32 = 8
const ROW_BYTES: usize = 32

// @ts-ignore: decorator
@inline function addTo(sums: usize, values: v128): void {
  v128.store(sums, f64x2.add(v128.load(sums), f64x2.promote_low_f32x4(values)))
  const high = i8x16.shuffle(values, values, 8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15)
  v128.store(sums, f64x2.add(v128.load(sums, 16), f64x2.promote_low_f32x4(high)), 16)
}

// Adds to f64 sums [8, 8] the products of four columns of panel `a`, from the `column`-th on, with all of panel `b`.
// @ts-ignore: decorator
@inline function fourColumns(a: usize, b: usize, rows: i32, column: i32, sums: usize): void {
  let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0
  let left = a + (<usize>column << 2)
  for (let r = 0; r < rows; r++) {
    const low = v128.load(b)
    const high = v128.load(b, 16)
    const c0 = v128.load32_splat(left), c1 = v128.load32_splat(left, 4), c2 = v128.load32_splat(left, 8), c3 = v128.load32_splat(left, 12)
    s0 = madd(c0, low, s0)
    s1 = madd(c0, high, s1)
    s2 = madd(c1, low, s2)
    s3 = madd(c1, high, s3)
    s4 = madd(c2, low, s4)
    s5 = madd(c2, high, s5)
    s6 = madd(c3, low, s6)
    s7 = madd(c3, high, s7)
    left += ROW_BYTES
    b += ROW_BYTES
  }
  const to = sums + (<usize>(column * COLUMNS) << 3)
  addTo(to, s0)
  addTo(to + 32, s1)
  addTo(to + 64, s2)
  addTo(to + 96, s3)
  addTo(to + 128, s4)
  addTo(to + 160, s5)
  addTo(to + 192, s6)
  addTo(to + 224, s7)
}

/** Adds to f64 sums [pairs, 8, 8] the products of each of `count` panels [mostRows, 8] with those up to itself, over the first `rows` rows. */
export function gramPanels(panels: usize, count: i32, mostRows: i32, rows: i32, sums: usize): void {
  const bytes = <usize>mostRows * ROW_BYTES
  for (let b = 0; b < count; b++) {
    for (let a = 0; a <= b; a++) {
      const left = panels + <usize>a * bytes
      const right = panels + <usize>b * bytes
      fourColumns(left, right, rows, 0, sums)
      fourColumns(left, right, rows, 4, sums)
      sums += <usize>(COLUMNS * COLUMNS) << 3
    }
  }
}

/** Writes the product of a query with each of `count` rows. */
export function multiplyRows(query: usize, rows: usize, count: i32, width: i32, out: usize): void {
  for (let r = 0; r < count; r++) store<f32>(out + (<usize>r << 2), dot(query, rows + (<usize>(r * width) << 2), width))
}

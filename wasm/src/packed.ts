// Packs weights into panels of 8 columns, [panel][depth][8]; int8 [panel][depth / 4][8][4]. For int8 each column's scale and sum follow.
import { INTEGERS } from './context'
import { PRECISION_BFLOAT16, PRECISION_FLOAT16, PRECISION_INT8 } from './ops'

export const TILE_COLUMNS: i32 = 8

/** Says that a product multiplies floats. */
export const FLOATS: i32 = 0
/** Says that a product multiplies whole numbers of 16 bits by twos (i32x4.dot_i16x8_s), which every runtime has. */
export const PAIRS: i32 = 1
/** Says that a product multiplies bytes by fours (relaxed SIMD), each activation being two of seven bits. */
export const FOURS: i32 = 2

// An ARM processor, or a newer one of Intel's kind, has an instruction that multiplies bytes and adds by fours. Others make the same of two, of which the
// first adds by twos and saturates: there it takes as many products as whole numbers of 16 bits do, which need no two halves. A byte that has more than the
// seven bits which are allowed for shows it. Operands are read from memory, so that no compiler works this out beforehand.
const SATURATING: usize = memory.data<u8>([
  127, 127, 127, 127, 127, 127, 127, 127, 127, 127, 127, 127, 127, 127, 127, 127, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
])
function hasFours(): bool {
  if (!ASC_FEATURE_RELAXED_SIMD) return false
  const more = v128.load(SATURATING, 16)
  // V8 11.3, where relaxed SIMD was a trial, takes the first operand for unsigned until it optimises: it gets no bytes to multiply.
  if (i32x4.extract_lane(i32x4.relaxed_dot_i8x16_i7x16_add_s(more, i8x16.splat(1), i32x4.splat(0)), 0) != -4) return false
  const sums = i32x4.relaxed_dot_i8x16_i7x16_add_s(v128.load(SATURATING), more, i32x4.splat(0))
  return i32x4.extract_lane(sums, 0) != 2 * 32767
}
const integers: i32 = hasFours() ? FOURS : PAIRS
/** Lets all threads do as this one, the leader, has found. */
export function publishProducts(): void {
  store<i32>(INTEGERS, integers)
}

// @ts-ignore: decorator
@inline export function productsOf(precision: i32): i32 {
  return precision == PRECISION_INT8 ? load<i32>(INTEGERS) : FLOATS
}
// Counts the bytes of one step of a panel.
// @ts-ignore: decorator
@inline export function stepBytes(precision: i32): i32 {
  if (precision == PRECISION_INT8) return productsOf(precision) == FOURS ? 32 : 16
  return precision == PRECISION_BFLOAT16 || precision == PRECISION_FLOAT16 ? 16 : 32
}
// @ts-ignore: decorator
@inline export function stepsOf(precision: i32, depth: i32): i32 {
  const products = productsOf(precision)
  return products == FLOATS ? depth : ((depth + 3) >> 2) << (products == PAIRS ? 1 : 0)
}
// @ts-ignore: decorator
@inline export function panelsOf(columns: i32): i32 {
  return (columns + TILE_COLUMNS - 1) / TILE_COLUMNS
}

export function scalesAddress(packed: usize, columns: i32, depth: i32): usize {
  return packed + <usize>panelsOf(columns) * <usize>((depth + 3) & ~3) * 8
}
// @ts-ignore: decorator
@inline export function columnSumsAddress(packed: usize, columns: i32, depth: i32): usize {
  return scalesAddress(packed, columns, depth) + (<usize>panelsOf(columns) << 5)
}

/** Packs panels [from, to) of `weight` [columns, depth]. Tells whether a column is not held: beside its largest value, most others are lost. */
export function packPanels(
  weight: usize,
  precision: i32,
  columns: i32,
  depth: i32,
  packed: usize,
  from: i32,
  to: i32,
): bool {
  let isLost = false
  const panelBytes = precision == PRECISION_INT8 ? <usize>((depth + 3) & ~3) << 3 : <usize>depth * <usize>stepBytes(precision)
  const scales = scalesAddress(packed, columns, depth)
  const columnSums = columnSumsAddress(packed, columns, depth)
  for (let panel = from; panel < to; panel++) {
    for (let i = 0; i < TILE_COLUMNS; i++) {
      const column = panel * TILE_COLUMNS + i
      let out = packed + <usize>panel * panelBytes
      const present = column < columns
      const row = weight + (<usize>column * <usize>depth << 2)
      if (precision == PRECISION_BFLOAT16 || precision == PRECISION_FLOAT16) {
        out += <usize>i << 1
        for (let k = 0; k < depth; k++, out += 16) {
          const bits = present ? load<u32>(row + (<usize>k << 2)) : 0
          store<u16>(out, precision == PRECISION_BFLOAT16 ? toBfloat16(bits) : toFloat16(bits))
        }
      } else if (precision == PRECISION_INT8) {
        const scale = present ? largestOf(row, depth) / 127 : 0
        store<f32>(scales + (<usize>column << 2), scale)
        let sum = 0
        let lost = 0
        let zeros = 0
        for (let k = 0; k < depth; k++) {
          const exact = present ? load<f32>(row + (<usize>k << 2)) : 0
          const value = scale > 0 ? <i32>nearest(exact / scale) : 0
          if (exact == 0) zeros++
          else if (value == 0) lost++
          store<i8>(out + <usize>(((k >> 2) << 5) + (i << 2) + (k & 3)), <i8>value)
          sum += value
        }
        store<i32>(columnSums + (<usize>column << 2), sum)
        if (10 * lost > 9 * (depth - zeros)) isLost = true
      } else {
        out += <usize>i << 2
        for (let k = 0; k < depth; k++, out += 32) store<f32>(out, present ? load<f32>(row + (<usize>k << 2)) : 0)
      }
    }
  }
  return isLost
}

function largestOf(row: usize, depth: i32): f32 {
  let largest: f32 = 0
  for (let k = 0; k < depth; k++) {
    const size = abs(load<f32>(row + (<usize>k << 2)))
    if (size > largest) largest = size
  }
  return largest
}

function toBfloat16(bits: u32): u16 {
  // NaN stays NaN.
  if ((bits & 0x7fffffff) > 0x7f800000) return <u16>((bits >> 16) | 0x40)
  return <u16>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16)
}

/** Rounds to the nearest, ties to even; what is too large becomes infinity, a NaN stays one. */
function toFloat16(bits: u32): u16 {
  const sign = (bits >> 16) & 0x8000
  const size = bits & 0x7fffffff
  if (size > 0x7f800000) return <u16>(sign | 0x7e00)
  if (size >= 0x477ff000) return <u16>(sign | 0x7c00)
  if (size >= 0x38800000) return <u16>(sign | ((size - 0x38000000 + 0xfff + ((size >> 13) & 1)) >> 13))
  // What lies below the smallest normal half is counted in steps of 2^-24, which the processor rounds to.
  return <u16>(sign | <u32>nearest(reinterpret<f32>(size) * 16777216))
}

// Widens four halves, each in 32 bits: exponent and fraction are moved to where float32 has them, and what the exponents differ by is multiplied away,
// which makes subnormal ones right as well. Infinities and NaN keep their exponent.
// @ts-ignore: decorator
@inline function widenHalves(halves: v128): v128 {
  const size = i32x4.shl(v128.and(halves, i32x4.splat(0x7fff)), 13)
  const sign = i32x4.shl(v128.and(halves, i32x4.splat(0x8000)), 16)
  const value = f32x4.mul(size, f32x4.splat(reinterpret<f32>(0x77800000)))
  const endless = v128.and(i32x4.ge_s(size, i32x4.splat(0x0f800000)), i32x4.splat(0x7f800000))
  return v128.or(v128.or(value, endless), sign)
}

/** Makes steps of a panel what products read, once for all tiles of a chunk: float32, or pairs of 16 bits. */
export function widen(packed: usize, precision: i32, steps: i32, out: usize): void {
  if (precision == PRECISION_FLOAT16) {
    for (let k = 0; k < steps; k++, packed += 16, out += 32) {
      const halves = v128.load(packed)
      v128.store(out, widenHalves(i32x4.extend_low_i16x8_u(halves)))
      v128.store(out, widenHalves(i32x4.extend_high_i16x8_u(halves)), 16)
    }
  } else if (precision == PRECISION_BFLOAT16) {
    for (let k = 0; k < steps; k++, packed += 16, out += 32) {
      const halves = v128.load(packed)
      v128.store(out, i32x4.shl(i32x4.extend_low_i16x8_u(halves), 16))
      v128.store(out, i32x4.shl(i32x4.extend_high_i16x8_u(halves), 16), 16)
    }
  } else {
    for (let k = 0; k < steps; k += 2, packed += 32, out += 64) {
      const left = v128.load(packed)
      const right = v128.load(packed, 16)
      const first = i8x16.shuffle(left, right, 0, 1, 4, 5, 8, 9, 12, 13, 16, 17, 20, 21, 24, 25, 28, 29)
      const second = i8x16.shuffle(left, right, 2, 3, 6, 7, 10, 11, 14, 15, 18, 19, 22, 23, 26, 27, 30, 31)
      v128.store(out, i16x8.extend_low_i8x16_s(first))
      v128.store(out, i16x8.extend_high_i8x16_s(first), 16)
      v128.store(out, i16x8.extend_low_i8x16_s(second), 32)
      v128.store(out, i16x8.extend_high_i8x16_s(second), 48)
    }
  }
}

// Packs weights into panels of 8 columns, [panel][depth][8]; in integers [panel][depth / 4][8][4]. For int8 each column's scale and sum follow.
import { PRECISION_BFLOAT16, PRECISION_FLOAT16, PRECISION_INT8 } from './ops'

export const TILE_COLUMNS: i32 = 8

// @ts-ignore: decorator
@inline export function inIntegers(precision: i32): bool {
  return ASC_FEATURE_RELAXED_SIMD && precision == PRECISION_INT8
}
// Counts the bytes of one step of a panel.
// @ts-ignore: decorator
@inline export function stepBytes(precision: i32): i32 {
  return precision == PRECISION_BFLOAT16 || precision == PRECISION_FLOAT16 ? 16 : precision == PRECISION_INT8 && !inIntegers(precision) ? 8 : 32
}
// @ts-ignore: decorator
@inline export function stepsOf(precision: i32, depth: i32): i32 {
  return inIntegers(precision) ? (depth + 3) >> 2 : depth
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

/** Packs panels [from, to) of `weight` [columns, depth]. */
export function packPanels(
  weight: usize,
  precision: i32,
  columns: i32,
  depth: i32,
  packed: usize,
  from: i32,
  to: i32,
): void {
  const panelBytes = <usize>stepsOf(precision, depth) * <usize>stepBytes(precision)
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
        for (let k = 0; k < depth; k++) {
          const value = scale > 0 ? <i32>nearest(load<f32>(row + (<usize>k << 2)) / scale) : 0
          const place = inIntegers(precision) ? ((k >> 2) << 5) + (i << 2) + (k & 3) : (k << 3) + i
          store<i8>(out + <usize>place, <i8>value)
          sum += value
        }
        store<i32>(columnSums + (<usize>column << 2), sum)
      } else {
        out += <usize>i << 2
        for (let k = 0; k < depth; k++, out += 32) store<f32>(out, present ? load<f32>(row + (<usize>k << 2)) : 0)
      }
    }
  }
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

/** Makes steps of a panel float32, once for all tiles of a chunk. */
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
    for (let k = 0; k < steps; k++, packed += 8, out += 32) {
      const halves = v128.load8x8_s(packed)
      v128.store(out, f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(halves)))
      v128.store(out, f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(halves)), 16)
    }
  }
}

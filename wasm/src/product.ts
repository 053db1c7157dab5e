// Matrix products: tiles of 6 x 8 sums in registers, from packed weights or from rows as they lie.
import {
  activationOf,
  BIAS,
  batch,
  COMBINE_ADD,
  COMBINE_GATE,
  combineOf,
  GAMMA,
  IN,
  OUT,
  precisionOf,
  rowsOf,
  SECOND,
  scratch,
  slotAddress,
  strideOf,
  WEIGHT,
  weightAddress,
  widthOf,
} from './context'
import { activate, GELU, gelu, IDENTITY, madd, splat } from './functions'

export const TILE_ROWS: i32 = 6
export const TILE_COLUMNS: i32 = 8
// Steps of the sum whose weights stay in the first-level cache while the rows of a chunk pass.
const BLOCK_STEPS: i32 = 256
// Rows of a chunk stay in the second-level cache while the panels pass.
const CHUNK_BYTES: i32 = 786432
const LEAST_CHUNK_TILES: i32 = 4

/**
 * c[rows][8] (+)= a[rows][steps] * b[steps][8], rows up to 6; strides in bytes. Rows that are missing are read from the last one and
 * not written.
 */
export function tile(
  a: usize,
  aStride: i32,
  b: usize,
  bStride: i32,
  c: usize,
  cStride: i32,
  steps: i32,
  rows: i32,
  accumulate: bool,
): void {
  let a0 = a
  let a1 = a + <usize>(min(1, rows - 1) * aStride)
  let a2 = a + <usize>(min(2, rows - 1) * aStride)
  let a3 = a + <usize>(min(3, rows - 1) * aStride)
  let a4 = a + <usize>(min(4, rows - 1) * aStride)
  let a5 = a + <usize>(min(5, rows - 1) * aStride)
  let s00 = splat(0), s01 = splat(0), s10 = splat(0), s11 = splat(0), s20 = splat(0), s21 = splat(0)
  let s30 = splat(0), s31 = splat(0), s40 = splat(0), s41 = splat(0), s50 = splat(0), s51 = splat(0)
  const pairs = steps >> 1
  for (let k = 0; k < pairs; k++) {
    let b0 = v128.load(b)
    let b1 = v128.load(b, 16)
    let x = v128.load32_splat(a0)
    s00 = madd(x, b0, s00)
    s01 = madd(x, b1, s01)
    x = v128.load32_splat(a1)
    s10 = madd(x, b0, s10)
    s11 = madd(x, b1, s11)
    x = v128.load32_splat(a2)
    s20 = madd(x, b0, s20)
    s21 = madd(x, b1, s21)
    x = v128.load32_splat(a3)
    s30 = madd(x, b0, s30)
    s31 = madd(x, b1, s31)
    x = v128.load32_splat(a4)
    s40 = madd(x, b0, s40)
    s41 = madd(x, b1, s41)
    x = v128.load32_splat(a5)
    s50 = madd(x, b0, s50)
    s51 = madd(x, b1, s51)
    b += bStride
    b0 = v128.load(b)
    b1 = v128.load(b, 16)
    x = v128.load32_splat(a0, 4)
    s00 = madd(x, b0, s00)
    s01 = madd(x, b1, s01)
    x = v128.load32_splat(a1, 4)
    s10 = madd(x, b0, s10)
    s11 = madd(x, b1, s11)
    x = v128.load32_splat(a2, 4)
    s20 = madd(x, b0, s20)
    s21 = madd(x, b1, s21)
    x = v128.load32_splat(a3, 4)
    s30 = madd(x, b0, s30)
    s31 = madd(x, b1, s31)
    x = v128.load32_splat(a4, 4)
    s40 = madd(x, b0, s40)
    s41 = madd(x, b1, s41)
    x = v128.load32_splat(a5, 4)
    s50 = madd(x, b0, s50)
    s51 = madd(x, b1, s51)
    b += bStride
    a0 += 8
    a1 += 8
    a2 += 8
    a3 += 8
    a4 += 8
    a5 += 8
  }
  if (steps & 1) {
    const b0 = v128.load(b)
    const b1 = v128.load(b, 16)
    s00 = madd(v128.load32_splat(a0), b0, s00)
    s01 = madd(v128.load32_splat(a0), b1, s01)
    s10 = madd(v128.load32_splat(a1), b0, s10)
    s11 = madd(v128.load32_splat(a1), b1, s11)
    s20 = madd(v128.load32_splat(a2), b0, s20)
    s21 = madd(v128.load32_splat(a2), b1, s21)
    s30 = madd(v128.load32_splat(a3), b0, s30)
    s31 = madd(v128.load32_splat(a3), b1, s31)
    s40 = madd(v128.load32_splat(a4), b0, s40)
    s41 = madd(v128.load32_splat(a4), b1, s41)
    s50 = madd(v128.load32_splat(a5), b0, s50)
    s51 = madd(v128.load32_splat(a5), b1, s51)
  }
  putRow(c, s00, s01, accumulate)
  if (rows > 1) putRow(c + cStride, s10, s11, accumulate)
  if (rows > 2) putRow(c + 2 * cStride, s20, s21, accumulate)
  if (rows > 3) putRow(c + 3 * cStride, s30, s31, accumulate)
  if (rows > 4) putRow(c + 4 * cStride, s40, s41, accumulate)
  if (rows > 5) putRow(c + 5 * cStride, s50, s51, accumulate)
}

// @ts-ignore: decorator
@inline function putRow(c: usize, s0: v128, s1: v128, accumulate: bool): void {
  if (accumulate) {
    v128.store(c, f32x4.add(v128.load(c), s0))
    v128.store(c, f32x4.add(v128.load(c, 16), s1), 16)
  } else {
    v128.store(c, s0)
    v128.store(c, s1, 16)
  }
}

// ---- Packed weights: panels of 8 columns, [panel][depth][8]; then the scales of int8 ----

// In the order of PRECISIONS in src/engine/lowered/lowered-op.ts.
const BFLOAT16: i32 = 2
const INT8: i32 = 3

// Bytes of one step of a panel.
// @ts-ignore: decorator
@inline function stepBytes(precision: i32): i32 {
  return precision == BFLOAT16 ? 16 : precision == INT8 ? 8 : 32
}
// @ts-ignore: decorator
@inline function panelsOf(columns: i32): i32 {
  return (columns + TILE_COLUMNS - 1) / TILE_COLUMNS
}

function scalesAddress(packed: usize, columns: i32, depth: i32): usize {
  return packed + <usize>panelsOf(columns) * <usize>depth * 8
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
  const bytes = stepBytes(precision)
  const scales = scalesAddress(packed, columns, depth)
  for (let panel = from; panel < to; panel++) {
    for (let i = 0; i < TILE_COLUMNS; i++) {
      const column = panel * TILE_COLUMNS + i
      let out = packed + <usize>panel * <usize>depth * <usize>bytes
      const present = column < columns
      const row = weight + (<usize>column * <usize>depth << 2)
      if (precision == BFLOAT16) {
        out += <usize>i << 1
        for (let k = 0; k < depth; k++, out += 16) store<u16>(out, present ? toBfloat16(load<u32>(row + (<usize>k << 2))) : 0)
      } else if (precision == INT8) {
        const scale = present ? largestOf(row, depth) / 127 : 0
        store<f32>(scales + (<usize>column << 2), scale)
        out += <usize>i
        for (let k = 0; k < depth; k++, out += 8) {
          store<i8>(out, scale > 0 ? <i8>nearest(load<f32>(row + (<usize>k << 2)) / scale) : 0)
        }
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

/** Steps of a panel as float32, for all tiles of a chunk. */
function widen(packed: usize, precision: i32, steps: i32, out: usize): void {
  if (precision == BFLOAT16) {
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

// ---- Linear layers: a group of panels for one chunk of rows to a task ----

// So many panels side by side write whole cache lines, and rows that are in the first-level cache meet all of them.
const GROUP_PANELS: i32 = 4

function chunkRows(rows: i32, depth: i32): i32 {
  const fitting = max(CHUNK_BYTES / (depth << 2) / TILE_ROWS, LEAST_CHUNK_TILES)
  const tiles = (rows + TILE_ROWS - 1) / TILE_ROWS
  const chunks = (tiles + fitting - 1) / fitting
  return ((tiles + chunks - 1) / chunks) * TILE_ROWS
}
// @ts-ignore: decorator
@inline function groupsOf(columns: i32): i32 {
  return (panelsOf(columns) + GROUP_PANELS - 1) / GROUP_PANELS
}

export function linearTasks(op: usize): i32 {
  const rows = batch() * rowsOf(op, IN)
  const chunk = chunkRows(rows, widthOf(op, IN))
  return ((rows + chunk - 1) / chunk) * groupsOf(widthOf(op, OUT))
}

/** Sums of a chunk, panel by panel, then the widened blocks of a group. */
export function linearScratchBytes(op: usize): i32 {
  return (chunkRows(batch() * rowsOf(op, IN), widthOf(op, IN)) + BLOCK_STEPS) * GROUP_PANELS * TILE_COLUMNS * 4
}

export function linear(op: usize, task: i32, thread: i32): void {
  const allRows = batch() * rowsOf(op, IN)
  const depth = widthOf(op, IN)
  const columns = widthOf(op, OUT)
  const precision = precisionOf(op)
  const groups = groupsOf(columns)
  const chunk = chunkRows(allRows, depth)
  const panel = (task % groups) * GROUP_PANELS
  const panels = min(GROUP_PANELS, panelsOf(columns) - panel)
  const first = (task / groups) * chunk
  const rows = min(chunk, allRows - first)
  const stride = strideOf(op, IN)
  const weight = weightAddress(op, WEIGHT)
  const sums = scratch(thread)
  const sumsBytes = <usize>(chunk * TILE_COLUMNS * 4)
  const widened = sums + sumsBytes * GROUP_PANELS
  const bytes = stepBytes(precision)
  const panelBytes = <usize>depth * <usize>bytes
  let b = weight + <usize>panel * panelBytes
  let a = slotAddress(op, IN) + <usize>first * <usize>stride
  for (let k = 0; k < depth; k += BLOCK_STEPS) {
    const steps = min(BLOCK_STEPS, depth - k)
    let operand = b
    let operandBytes = panelBytes
    if (bytes != 32) {
      operand = widened
      operandBytes = BLOCK_STEPS * 32
      for (let p = 0; p < panels; p++) widen(b + <usize>p * panelBytes, precision, steps, widened + <usize>p * operandBytes)
    }
    for (let r = 0; r < rows; r += TILE_ROWS) {
      const count = min(TILE_ROWS, rows - r)
      for (let p = 0; p < panels; p++) {
        tile(
          a + <usize>(r * stride),
          stride,
          operand + <usize>p * operandBytes,
          32,
          sums + <usize>p * sumsBytes + <usize>(r * 32),
          32,
          steps,
          count,
          k > 0,
        )
      }
    }
    b += <usize>(steps * bytes)
    a += <usize>(steps << 2)
  }
  const scales = precision == INT8 ? scalesAddress(weight, columns, depth) : 0
  for (let p = 0; p < panels; p++) {
    finish(op, sums + <usize>p * sumsBytes, first, rows, (panel + p) * TILE_COLUMNS, scales)
  }
}

/** Sums of 8 columns become values: scale, bias, activation, gamma, then plus or gated by another slot. */
function finish(op: usize, sums: usize, first: i32, rows: i32, column: i32, scales: usize): void {
  const at = <usize>column << 2
  const biases = weightAddress(op, BIAS)
  const gammas = weightAddress(op, GAMMA)
  const bias0 = biases == 0 ? splat(0) : v128.load(biases + at)
  const bias1 = biases == 0 ? splat(0) : v128.load(biases + at, 16)
  const gamma0 = gammas == 0 ? splat(1) : v128.load(gammas + at)
  const gamma1 = gammas == 0 ? splat(1) : v128.load(gammas + at, 16)
  const scale0 = scales == 0 ? splat(1) : v128.load(scales + at)
  const scale1 = scales == 0 ? splat(1) : v128.load(scales + at, 16)
  const kind = activationOf(op)
  const combine = combineOf(op)
  const outStride = <usize>strideOf(op, OUT)
  const otherStride = <usize>strideOf(op, SECOND)
  let out = slotAddress(op, OUT) + <usize>first * outStride + at
  let other = combine == 0 ? out : slotAddress(op, SECOND) + <usize>first * otherStride + at
  for (let r = 0; r < rows; r++, sums += 32, out += outStride, other += otherStride) {
    let v0 = madd(v128.load(sums), scale0, bias0)
    let v1 = madd(v128.load(sums, 16), scale1, bias1)
    if (combine == COMBINE_GATE) {
      v0 = f32x4.mul(activate(kind, v128.load(other)), v0)
      v1 = f32x4.mul(activate(kind, v128.load(other, 16)), v1)
    } else {
      if (kind == GELU) {
        v0 = gelu(v0)
        v1 = gelu(v1)
      } else if (kind != IDENTITY) {
        v0 = activate(kind, v0)
        v1 = activate(kind, v1)
      }
      if (combine == COMBINE_ADD) {
        v0 = madd(v0, gamma0, v128.load(other))
        v1 = madd(v1, gamma1, v128.load(other, 16))
      } else if (gammas != 0) {
        v0 = f32x4.mul(v0, gamma0)
        v1 = f32x4.mul(v1, gamma1)
      }
    }
    v128.store(out, v0)
    v128.store(out, v1, 16)
  }
}

// Multiplies matrices: in tiles of 6 x 8 sums in registers, from packed weights or from rows as they lie.
//
// Numbers are floats, or four bytes at a time: relaxed SIMD multiplies 16 signed bytes by 16 of seven bits and adds by fours, in one
// instruction where the processor has it. Weights in int8 fit as they are; activations are taken to 14 bits, as two rows of seven.
import {
  batch,
  precisionOf,
  rowsOf,
  scratch,
  sharedScratch,
  slotAddress,
  strideOf,
  THREADS,
  weightAddress,
  widthOf,
} from './context'
import { activate, gelu, madd, splat } from './functions'
import {
  ACTIVATION_GELU,
  ACTIVATION_IDENTITY,
  activationOf,
  BIAS,
  COMBINE_ADD,
  COMBINE_GATE,
  COMBINE_NONE,
  combineOf,
  GAMMA,
  INPUT,
  OUTPUT,
  PRECISION_INT8,
  SECOND,
  WEIGHT,
} from './ops'
import {
  columnSumsAddress,
  inIntegers,
  panelsOf,
  scalesAddress,
  stepBytes,
  stepsOf,
  TILE_COLUMNS,
  widen,
} from './packed'
import { rowsOfTask, rowTasks } from './rows'

export const TILE_ROWS: i32 = 6
// The weights of so many steps of the sum stay in the first-level cache while the rows of a chunk pass.
const BLOCK_STEPS: i32 = 384
// Rows of a chunk stay in the second-level cache while the panels pass.
const CHUNK_BYTES: i32 = 786432
const LEAST_CHUNK_TILES: i32 = 4

// T is f32, or i32 for a dot product of four bytes in each step.
// @ts-ignore: decorator
@inline function multiplyAdd<T>(x: v128, b: v128, sum: v128): v128 {
  if (isFloat<T>()) return madd(x, b, sum)
  if (ASC_FEATURE_RELAXED_SIMD) return i32x4.relaxed_dot_i8x16_i7x16_add_s(b, x, sum)
  return unreachable()
}

/**
 * Computes c[rows][8] (+)= a[rows][steps] * b[steps][8], with up to 6 rows and strides in bytes. Rows that are missing are read from the last one
 * and not written.
 */
export function tile<T>(
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
  // This is not unrolled: the runtime's compiler then keeps all of it in registers, and reaches what the processor can.
  for (let k = steps; k > 0; k--) {
    const b0 = v128.load(b)
    const b1 = v128.load(b, 16)
    const x0 = v128.load32_splat(a0)
    s00 = multiplyAdd<T>(x0, b0, s00)
    s01 = multiplyAdd<T>(x0, b1, s01)
    const x1 = v128.load32_splat(a1)
    s10 = multiplyAdd<T>(x1, b0, s10)
    s11 = multiplyAdd<T>(x1, b1, s11)
    const x2 = v128.load32_splat(a2)
    s20 = multiplyAdd<T>(x2, b0, s20)
    s21 = multiplyAdd<T>(x2, b1, s21)
    const x3 = v128.load32_splat(a3)
    s30 = multiplyAdd<T>(x3, b0, s30)
    s31 = multiplyAdd<T>(x3, b1, s31)
    const x4 = v128.load32_splat(a4)
    s40 = multiplyAdd<T>(x4, b0, s40)
    s41 = multiplyAdd<T>(x4, b1, s41)
    const x5 = v128.load32_splat(a5)
    s50 = multiplyAdd<T>(x5, b0, s50)
    s51 = multiplyAdd<T>(x5, b1, s51)
    a0 += 4
    a1 += 4
    a2 += 4
    a3 += 4
    a4 += 4
    a5 += 4
    b += bStride
  }
  putRow<T>(c, s00, s01, accumulate)
  if (rows > 1) putRow<T>(c + cStride, s10, s11, accumulate)
  if (rows > 2) putRow<T>(c + 2 * cStride, s20, s21, accumulate)
  if (rows > 3) putRow<T>(c + 3 * cStride, s30, s31, accumulate)
  if (rows > 4) putRow<T>(c + 4 * cStride, s40, s41, accumulate)
  if (rows > 5) putRow<T>(c + 5 * cStride, s50, s51, accumulate)
}

// @ts-ignore: decorator
@inline function plus<T>(a: v128, b: v128): v128 {
  return isFloat<T>() ? f32x4.add(a, b) : i32x4.add(a, b)
}

// @ts-ignore: decorator
@inline function putRow<T>(c: usize, s0: v128, s1: v128, accumulate: bool): void {
  if (accumulate) {
    v128.store(c, plus<T>(v128.load(c), s0))
    v128.store(c, plus<T>(v128.load(c, 16), s1), 16)
  } else {
    v128.store(c, s0)
    v128.store(c, s1, 16)
  }
}

// ---- Linear layers: a task has a group of panels for one chunk of rows ----

// So many panels side by side write whole cache lines, and rows that are in the first-level cache meet all of them.
const GROUP_PANELS: i32 = 3
// So many rows, or halves of rows, are finished together: they stay in the first-level cache meanwhile.
const GROUP_ROWS: i32 = 4 * TILE_ROWS

function chunkRows(rows: i32, rowBytes: i32): i32 {
  const fitting = max(CHUNK_BYTES / rowBytes / TILE_ROWS, LEAST_CHUNK_TILES)
  const tiles = (rows + TILE_ROWS - 1) / TILE_ROWS
  const chunks = (tiles + fitting - 1) / fitting
  return ((tiles + chunks - 1) / chunks) * TILE_ROWS
}
// @ts-ignore: decorator
@inline function chunkOf(op: usize): i32 {
  const depth = widthOf(op, INPUT)
  return chunkRows(batch() * rowsOf(op, INPUT), inIntegers(precisionOf(op)) ? halvesBytes(depth) : depth << 2)
}
// Blocks are of even size, so that none is too short to be worth its beginning.
// @ts-ignore: decorator
@inline function blockStepsOf(steps: i32): i32 {
  const blocks = (steps + BLOCK_STEPS - 1) / BLOCK_STEPS
  return (steps + blocks - 1) / blocks
}
// @ts-ignore: decorator
@inline function groupsOf(columns: i32): i32 {
  return (panelsOf(columns) + GROUP_PANELS - 1) / GROUP_PANELS
}

export function linearTasks(op: usize): i32 {
  const rows = batch() * rowsOf(op, INPUT)
  const chunk = chunkOf(op)
  return ((rows + chunk - 1) / chunk) * groupsOf(widthOf(op, OUTPUT))
}

/** A thread keeps the sums of a chunk, panel by panel, then the widened blocks of a group. */
export function linearScratchBytes(op: usize): i32 {
  const sums = inIntegers(precisionOf(op)) ? 2 * chunkOf(op) : chunkOf(op)
  return (sums + BLOCK_STEPS) * GROUP_PANELS * TILE_COLUMNS * 4
}

export function linear(op: usize, task: i32): void {
  const allRows = batch() * rowsOf(op, INPUT)
  const depth = widthOf(op, INPUT)
  const columns = widthOf(op, OUTPUT)
  const precision = precisionOf(op)
  const integers = inIntegers(precision)
  const groups = groupsOf(columns)
  const chunk = chunkOf(op)
  const panel = (task % groups) * GROUP_PANELS
  const panels = min(GROUP_PANELS, panelsOf(columns) - panel)
  const first = (task / groups) * chunk
  const rows = min(chunk, allRows - first)
  const weight = weightAddress(op, WEIGHT)
  const sums = scratch()
  const sumRows = integers ? 2 * rows : rows
  const sumsBytes = <usize>((integers ? 2 * chunk : chunk) * TILE_COLUMNS * 4)
  const widened = sums + sumsBytes * GROUP_PANELS
  const bytes = stepBytes(precision)
  const allSteps = stepsOf(precision, depth)
  const panelBytes = <usize>allSteps * <usize>bytes
  const stride = integers ? allSteps << 2 : strideOf(op, INPUT)
  let b = weight + <usize>panel * panelBytes
  let a = integers ? sharedScratch() + <usize>first * <usize>halvesBytes(depth) : slotAddress(op, INPUT) + <usize>first * <usize>stride
  const blockSteps = blockStepsOf(allSteps)
  for (let k = 0; k < allSteps; k += blockSteps) {
    const steps = min(blockSteps, allSteps - k)
    let operand = b
    let operandBytes = panelBytes
    if (bytes != 32) {
      operand = widened
      operandBytes = BLOCK_STEPS * 32
      for (let p = 0; p < panels; p++) widen(b + <usize>p * panelBytes, precision, steps, widened + <usize>p * operandBytes)
    }
    const isLast = k + steps == allSteps
    const next = panel + GROUP_PANELS * load<i32>(THREADS)
    const ahead = !isLast ? b + <usize>(steps * bytes) : next + GROUP_PANELS <= panelsOf(columns) ? weight + <usize>next * panelBytes : 0
    for (let r = 0; r < sumRows; r += GROUP_ROWS) {
      const count = min(GROUP_ROWS, sumRows - r)
      const from = a + <usize>r * <usize>stride
      const to = sums + (<usize>r << 5)
      if (integers) multiplyPanels<i32>(from, stride, count, operand, operandBytes, panels, steps, to, sumsBytes, k > 0)
      else multiplyPanels<f32>(from, stride, count, operand, operandBytes, panels, steps, to, sumsBytes, k > 0)
      // What this thread is likely to need next is on its way while this is computed.
      if (ahead != 0) touch(ahead, panelBytes, panels, blockSteps * bytes * r / sumRows, blockSteps * bytes * (r + count) / sumRows)
      // Sums are finished while they are in the first-level cache.
      if (isLast) finishPanels(op, to, sumsBytes, first + (integers ? r >> 1 : r), integers ? count >> 1 : count, panel, panels)
    }
    b += <usize>(steps * bytes)
    a += <usize>(steps << 2)
  }
}

/** Reads bytes [from, to) of a group's panels. */
function touch(block: usize, panelBytes: usize, panels: i32, from: i32, to: i32): void {
  for (let p = 0; p < panels; p++, block += panelBytes) {
    for (let at = from; at < to; at += 64) load<i32>(block + <usize>at)
  }
}

function finishPanels(op: usize, sums: usize, sumsBytes: usize, first: i32, rows: i32, panel: i32, panels: i32): void {
  const precision = precisionOf(op)
  const weight = weightAddress(op, WEIGHT)
  const depth = widthOf(op, INPUT)
  const columns = widthOf(op, OUTPUT)
  const scales = precision == PRECISION_INT8 ? scalesAddress(weight, columns, depth) : 0
  for (let p = 0; p < panels; p++, sums += sumsBytes) {
    const column = (panel + p) * TILE_COLUMNS
    if (inIntegers(precision)) joinHalves(op, sums, first, rows, columnSumsAddress(weight, columns, depth) + (<usize>column << 2))
    finish(op, sums, first, rows, column, scales)
  }
}

function multiplyPanels<T>(
  a: usize,
  stride: i32,
  rows: i32,
  b: usize,
  panelBytes: usize,
  panels: i32,
  steps: i32,
  sums: usize,
  sumsBytes: usize,
  accumulate: bool,
): void {
  if (isInteger<T>() && !ASC_FEATURE_RELAXED_SIMD) return
  for (let r = 0; r < rows; r += TILE_ROWS) {
    const count = min(TILE_ROWS, rows - r)
    for (let p = 0; p < panels; p++) {
      tile<T>(
        a + <usize>(r * stride),
        stride,
        b + <usize>p * panelBytes,
        32,
        sums + <usize>p * sumsBytes + <usize>(r * 32),
        32,
        steps,
        count,
        accumulate,
      )
    }
  }
}

// ---- Rows in integers: x = scale * (128 * (high - 64) + low), with high and low from 0 to 127 ----

const MOST: f32 = 8191

// One row has its high halves first, then its low ones.
// @ts-ignore: decorator
@inline function halvesBytes(depth: i32): i32 {
  return ((depth + 3) & ~3) << 1
}
// Scales lie behind the halves of all rows.
// @ts-ignore: decorator
@inline function rowScaleAddress(op: usize, row: i32): usize {
  const allRows = batch() * rowsOf(op, INPUT)
  return sharedScratch() + <usize>allRows * <usize>halvesBytes(widthOf(op, INPUT)) + (<usize>row << 2)
}

export function halvesTotalBytes(op: usize): i32 {
  return batch() * rowsOf(op, INPUT) * (halvesBytes(widthOf(op, INPUT)) + 4)
}

export function takeApartTasks(op: usize): i32 {
  return rowTasks(batch() * rowsOf(op, INPUT), widthOf(op, INPUT))
}
/** Takes the input's rows of a task apart. A row with NaN or infinity gets a scale that makes all its products so. */
export function takeApart(op: usize, task: i32): void {
  const depth = widthOf(op, INPUT)
  const group = rowsOfTask(depth)
  const first = task * group
  const last = min(batch() * rowsOf(op, INPUT), first + group)
  const half = <usize>((depth + 3) & ~3)
  const stride = <usize>strideOf(op, INPUT)
  let row = slotAddress(op, INPUT) + <usize>first * stride
  let out = sharedScratch() + <usize>first * 2 * half
  const vectors = depth & ~3
  for (let r = first; r < last; r++, row += stride, out += 2 * half) {
    let largest = splat(0)
    for (let k = 0; k < vectors; k += 4) largest = f32x4.max(largest, f32x4.abs(v128.load(row + (<usize>k << 2))))
    let most = max(max(f32x4.extract_lane(largest, 0), f32x4.extract_lane(largest, 1)), max(f32x4.extract_lane(largest, 2), f32x4.extract_lane(largest, 3)))
    for (let k = vectors; k < depth; k++) most = max(most, abs(load<f32>(row + (<usize>k << 2))))
    store<f32>(rowScaleAddress(op, r), most / MOST)
    // Numbers so small that their inverse is infinite count as nothing.
    const inverse: f32 = most > 1e-30 ? MOST / most : 0
    for (let k = 0; k < vectors; k += 4) storeHalves(f32x4.mul(v128.load(row + (<usize>k << 2)), splat(inverse)), out + <usize>k, half)
    if (vectors < depth) {
      let rest = splat(0)
      rest = f32x4.replace_lane(rest, 0, load<f32>(row + (<usize>vectors << 2)))
      if (vectors + 1 < depth) rest = f32x4.replace_lane(rest, 1, load<f32>(row + (<usize>vectors << 2), 4))
      if (vectors + 2 < depth) rest = f32x4.replace_lane(rest, 2, load<f32>(row + (<usize>vectors << 2), 8))
      storeHalves(f32x4.mul(rest, splat(inverse)), out + <usize>vectors, half)
    }
  }
}

// @ts-ignore: decorator
@inline function storeHalves(x: v128, out: usize, half: usize): void {
  const whole = i32x4.add(i32x4.trunc_sat_f32x4_s(f32x4.nearest(x)), i32x4.splat(8192))
  const high = i32x4.shr_u(whole, 7)
  const low = v128.and(whole, i32x4.splat(127))
  // This puts the lowest bytes of the lanes side by side.
  const bytes = i8x16.shuffle(high, low, 0, 4, 8, 12, 16, 20, 24, 28, 0, 0, 0, 0, 0, 0, 0, 0)
  store<i32>(out, i32x4.extract_lane(bytes, 0))
  store<i32>(out + half, i32x4.extract_lane(bytes, 1))
}

/** Sums of high and low halves become float sums of whole numbers, one row of 8 where there were two. */
function joinHalves(op: usize, sums: usize, first: i32, rows: i32, columnSums: usize): void {
  const offset0 = i32x4.shl(v128.load(columnSums), 6)
  const offset1 = i32x4.shl(v128.load(columnSums, 16), 6)
  const scales = rowScaleAddress(op, first)
  let from = sums
  let to = sums
  for (let r = 0; r < rows; r++, from += 64, to += 32) {
    const scale = v128.load32_splat(scales + (<usize>r << 2))
    const high0 = f32x4.convert_i32x4_s(i32x4.sub(v128.load(from), offset0))
    const high1 = f32x4.convert_i32x4_s(i32x4.sub(v128.load(from, 16), offset1))
    const low0 = f32x4.convert_i32x4_s(v128.load(from, 32))
    const low1 = f32x4.convert_i32x4_s(v128.load(from, 48))
    v128.store(to, f32x4.mul(madd(high0, splat(128), low0), scale))
    v128.store(to, f32x4.mul(madd(high1, splat(128), low1), scale), 16)
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
  const outStride = <usize>strideOf(op, OUTPUT)
  const otherStride = <usize>strideOf(op, SECOND)
  let out = slotAddress(op, OUTPUT) + <usize>first * outStride + at
  let other = combine == COMBINE_NONE ? out : slotAddress(op, SECOND) + <usize>first * otherStride + at
  for (let r = 0; r < rows; r++, sums += 32, out += outStride, other += otherStride) {
    let v0 = madd(v128.load(sums), scale0, bias0)
    let v1 = madd(v128.load(sums, 16), scale1, bias1)
    if (combine == COMBINE_GATE) {
      v0 = f32x4.mul(activate(kind, v128.load(other)), v0)
      v1 = f32x4.mul(activate(kind, v128.load(other, 16)), v1)
    } else {
      if (kind == ACTIVATION_GELU) {
        v0 = gelu(v0)
        v1 = gelu(v1)
      } else if (kind != ACTIVATION_IDENTITY) {
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

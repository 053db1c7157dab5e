// Multiplies matrices: in tiles of some rows x 8 sums in registers, from packed weights and from rows that are laid out in tiles, or as they lie.
//
// A step multiplies one float of a row by a weight, or two whole numbers of 16 bits, or four bytes (packed.ts says when): it always takes four bytes of the
// row. Weights in int8 fit as they are; activations are taken to 14 bits, which for bytes are two rows of seven.
import {
  batch,
  FIRST_ROW,
  rowsOf,
  scratch,
  sharedScratch,
  slotAddress,
  strideOf,
  THREADS,
  weightAddress,
  weightPrecisionOf,
  widthOf,
} from './context'
import { activate, gelu, geluShort, madd, splat, wholeOf } from './functions'
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
  kindOf,
  OP_CONV2D,
  OUTPUT,
  patchSizeOf,
  PRECISION_INT8,
  SECOND,
  WEIGHT,
} from './ops'
import {
  columnSumsAddress,
  FLOATS,
  FOURS,
  PAIRS,
  panelsOf,
  productsOf,
  scalesAddress,
  stepBytes,
  stepsOf,
  TILE_COLUMNS,
  widen,
} from './packed'
import { layOutPatch } from './maps'
import { rowsOfTask, rowTasks } from './rows'

// On x86, V8 has 15 vector registers to give. A tile of 6 rows takes them all where one instruction multiplies and adds: 12 sums, 2 vectors of weights
// and one of the row. Otherwise a product needs one more for itself, and sums of 6 rows would go to memory and back at each step; older V8 does so with 5.
const FUSED_ROWS: i32 = 6
const APART_ROWS: i32 = 4
/** Counts the rows of a tile of floats. */
export const TILE_ROWS: i32 = ASC_FEATURE_RELAXED_SIMD ? FUSED_ROWS : APART_ROWS
// @ts-ignore: decorator
@inline export function tileRowsOf(products: i32): i32 {
  return products == FLOATS ? TILE_ROWS : products == PAIRS ? APART_ROWS : FUSED_ROWS
}
// The weights of so many steps of the sum stay in the first-level cache while the rows of a chunk pass.
const BLOCK_STEPS: i32 = 384
// Rows of a chunk stay in the second-level cache while the panels pass.
const CHUNK_BYTES: i32 = 786432
const LEAST_CHUNK_TILES: i32 = 4

// T is what rows and weights hold: f32, i16 or i8.
// @ts-ignore: decorator
@inline function tileRows<T>(): i32 {
  return tileRowsOf(isFloat<T>() ? FLOATS : sizeof<T>() == 2 ? PAIRS : FOURS)
}
// @ts-ignore: decorator
@inline function multiplyAdd<T>(x: v128, b: v128, sum: v128): v128 {
  if (isFloat<T>()) return madd(x, b, sum)
  if (sizeof<T>() == 2) return i32x4.add(i32x4.dot_i16x8_s(x, b), sum)
  if (ASC_FEATURE_RELAXED_SIMD) return i32x4.relaxed_dot_i8x16_i7x16_add_s(b, x, sum)
  return unreachable()
}

/** Computes c[tileRows][8] (+)= a[steps][tileRows] * b[steps][8], from rows that are laid out. */
// @ts-ignore: decorator
@inline function laidOutTile<T>(a: usize, b: usize, c: usize, steps: i32, accumulate: bool): void {
  let s00 = splat(0), s01 = splat(0), s10 = splat(0), s11 = splat(0), s20 = splat(0), s21 = splat(0)
  let s30 = splat(0), s31 = splat(0), s40 = splat(0), s41 = splat(0), s50 = splat(0), s51 = splat(0)
  const step: usize = 4 * tileRows<T>()
  // This is not unrolled: the runtime's compiler then keeps all of it in registers, and reaches what the processor can.
  for (const end = b + <usize>(steps << 5); b != end; b += 32, a += step) {
    const b0 = v128.load(b)
    const b1 = v128.load(b, 16)
    const x0 = v128.load32_splat(a)
    s00 = multiplyAdd<T>(x0, b0, s00)
    s01 = multiplyAdd<T>(x0, b1, s01)
    const x1 = v128.load32_splat(a, 4)
    s10 = multiplyAdd<T>(x1, b0, s10)
    s11 = multiplyAdd<T>(x1, b1, s11)
    const x2 = v128.load32_splat(a, 8)
    s20 = multiplyAdd<T>(x2, b0, s20)
    s21 = multiplyAdd<T>(x2, b1, s21)
    const x3 = v128.load32_splat(a, 12)
    s30 = multiplyAdd<T>(x3, b0, s30)
    s31 = multiplyAdd<T>(x3, b1, s31)
    if (tileRows<T>() > 4) {
      const x4 = v128.load32_splat(a, 16)
      s40 = multiplyAdd<T>(x4, b0, s40)
      s41 = multiplyAdd<T>(x4, b1, s41)
      const x5 = v128.load32_splat(a, 20)
      s50 = multiplyAdd<T>(x5, b0, s50)
      s51 = multiplyAdd<T>(x5, b1, s51)
    }
  }
  putRow<T>(c, s00, s01, accumulate)
  putRow<T>(c + 32, s10, s11, accumulate)
  putRow<T>(c + 64, s20, s21, accumulate)
  putRow<T>(c + 96, s30, s31, accumulate)
  if (tileRows<T>() > 4) {
    putRow<T>(c + 128, s40, s41, accumulate)
    putRow<T>(c + 160, s50, s51, accumulate)
  }
}

/** Does so for pairs of 16 bits, whose sums become floats. */
export function pairsTile(a: usize, b: usize, c: usize, steps: i32): void {
  laidOutTile<i16>(a, b, c, steps, false)
}

/**
 * Computes c[rows][8] (+)= a[rows][steps] * b[steps][8], with rows of floats as they lie, at most as many as a tile has, and strides in bytes. Rows that
 * are missing are read from the last one and not written.
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
  for (let k = steps; k > 0; k--) {
    const b0 = v128.load(b)
    const b1 = v128.load(b, 16)
    const x0 = v128.load32_splat(a0)
    s00 = madd(x0, b0, s00)
    s01 = madd(x0, b1, s01)
    const x1 = v128.load32_splat(a1)
    s10 = madd(x1, b0, s10)
    s11 = madd(x1, b1, s11)
    const x2 = v128.load32_splat(a2)
    s20 = madd(x2, b0, s20)
    s21 = madd(x2, b1, s21)
    const x3 = v128.load32_splat(a3)
    s30 = madd(x3, b0, s30)
    s31 = madd(x3, b1, s31)
    if (TILE_ROWS > 4) {
      const x4 = v128.load32_splat(a4)
      s40 = madd(x4, b0, s40)
      s41 = madd(x4, b1, s41)
      const x5 = v128.load32_splat(a5)
      s50 = madd(x5, b0, s50)
      s51 = madd(x5, b1, s51)
    }
    a0 += 4
    a1 += 4
    a2 += 4
    a3 += 4
    if (TILE_ROWS > 4) {
      a4 += 4
      a5 += 4
    }
    b += bStride
  }
  putRow<f32>(c, s00, s01, accumulate)
  if (rows > 1) putRow<f32>(c + cStride, s10, s11, accumulate)
  if (rows > 2) putRow<f32>(c + 2 * cStride, s20, s21, accumulate)
  if (rows > 3) putRow<f32>(c + 3 * cStride, s30, s31, accumulate)
  if (TILE_ROWS > 4 && rows > 4) putRow<f32>(c + 4 * cStride, s40, s41, accumulate)
  if (TILE_ROWS > 4 && rows > 5) putRow<f32>(c + 5 * cStride, s50, s51, accumulate)
}

// Sums of pairs become floats here: a block is so short that they do not overflow, all of a row's would.
// @ts-ignore: decorator
@inline function putRow<T>(c: usize, s0: v128, s1: v128, accumulate: bool): void {
  if (isInteger<T>() && sizeof<T>() == 2) {
    s0 = f32x4.convert_i32x4_s(s0)
    s1 = f32x4.convert_i32x4_s(s1)
  }
  if (accumulate) {
    s0 = isInteger<T>() && sizeof<T>() == 1 ? i32x4.add(v128.load(c), s0) : f32x4.add(v128.load(c), s0)
    s1 = isInteger<T>() && sizeof<T>() == 1 ? i32x4.add(v128.load(c, 16), s1) : f32x4.add(v128.load(c, 16), s1)
  }
  v128.store(c, s0)
  v128.store(c, s1, 16)
}

// ---- Linear layers: a task has a group of panels for one chunk of rows ----

// So many panels side by side write whole cache lines, and rows that are in the first-level cache meet all of them.
const GROUP_PANELS: i32 = 3
// So many tiles are finished together: their sums stay in the first-level cache meanwhile.
const GROUP_TILES: i32 = 4

// A convolution's rows are patches, many times as much as its picture: no more of them are laid out at a time.
const BLOCK_BYTES: i32 = 16777216

/** Counts the numbers of a row that is multiplied. */
function depthOf(op: usize): i32 {
  const width = widthOf(op, INPUT)
  return kindOf(op) == OP_CONV2D ? patchSizeOf(op) * patchSizeOf(op) * width : width
}

/** Counts the rows of a block, of a whole number of tiles, that are laid out and multiplied before the next ones: all rows, but of a convolution. */
export function blockRowsOf(op: usize): i32 {
  const tileRows = tileRowsOf(productsOf(weightPrecisionOf(op)))
  const tiles = (batch() * rowsOf(op, OUTPUT) + tileRows - 1) / tileRows
  if (kindOf(op) != OP_CONV2D) return tiles * tileRows
  return min(tiles, max(BLOCK_BYTES / rowBytesOf(op) / tileRows, LEAST_CHUNK_TILES)) * tileRows
}
// Counts the rows of the block that is at work.
// @ts-ignore: decorator
@inline function ownRowsOf(op: usize): i32 {
  return min(blockRowsOf(op), batch() * rowsOf(op, OUTPUT) - load<i32>(FIRST_ROW))
}

/** Counts the rows, of a whole number of tiles, that a task has. */
function chunkOf(op: usize): i32 {
  const tileRows = tileRowsOf(productsOf(weightPrecisionOf(op)))
  const fitting = max(CHUNK_BYTES / rowBytesOf(op) / tileRows, LEAST_CHUNK_TILES)
  const tiles = blockRowsOf(op) / tileRows
  const chunks = (tiles + fitting - 1) / fitting
  return ((tiles + chunks - 1) / chunks) * tileRows
}
// Blocks are of one size, so that none is too short to be worth its beginning, and have whole pairs of steps, as weights in int8 have.
// @ts-ignore: decorator
@inline function blockStepsOf(steps: i32): i32 {
  const blocks = (steps + BLOCK_STEPS - 1) / BLOCK_STEPS
  return ((steps + blocks - 1) / blocks + 1) & ~1
}
// @ts-ignore: decorator
@inline function groupsOf(columns: i32): i32 {
  return (panelsOf(columns) + GROUP_PANELS - 1) / GROUP_PANELS
}

export function linearTasks(op: usize): i32 {
  const rows = ownRowsOf(op)
  const chunk = chunkOf(op)
  return ((rows + chunk - 1) / chunk) * groupsOf(widthOf(op, OUTPUT))
}

/** A thread keeps the sums of a chunk, panel by panel, then the widened blocks of a group. */
export function linearScratchBytes(op: usize): i32 {
  const sums = chunkOf(op) * partsOf(productsOf(weightPrecisionOf(op)))
  const bytes = (sums + BLOCK_STEPS) * GROUP_PANELS * TILE_COLUMNS * 4
  return kindOf(op) == OP_CONV2D ? max(bytes, depthOf(op) << 2) : bytes
}

export function conv2dTasks(op: usize): i32 {
  return linearTasks(op)
}
export function conv2d(op: usize, task: i32): void {
  linear(op, task)
}

export function linear(op: usize, task: i32): void {
  const allRows = ownRowsOf(op)
  const depth = depthOf(op)
  const columns = widthOf(op, OUTPUT)
  const precision = weightPrecisionOf(op)
  const products = productsOf(precision)
  const parts = partsOf(products)
  const groupRows = GROUP_TILES * tileRowsOf(products)
  const groups = groupsOf(columns)
  const chunk = chunkOf(op)
  const panel = (task % groups) * GROUP_PANELS
  const panels = min(GROUP_PANELS, panelsOf(columns) - panel)
  const first = (task / groups) * chunk
  const rows = min(chunk, allRows - first)
  const weight = weightAddress(op, WEIGHT)
  const sums = scratch()
  const sumRows = parts * rows
  const sumsBytes = <usize>(parts * chunk * TILE_COLUMNS * 4)
  const widened = sums + sumsBytes * GROUP_PANELS
  const bytes = stepBytes(precision)
  const allSteps = stepsOf(precision, depth)
  const panelBytes = <usize>allSteps * <usize>bytes
  const stride = allSteps << 2
  let b = weight + <usize>panel * panelBytes
  let a = sharedScratch() + <usize>first * <usize>rowBytesOf(op)
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
    for (let r = 0; r < sumRows; r += groupRows) {
      const count = min(groupRows, sumRows - r)
      const from = a + <usize>r * <usize>stride
      const to = sums + (<usize>r << 5)
      if (products == PAIRS) multiplyPanels<i16>(from, stride, count, operand, operandBytes, panels, steps, to, sumsBytes, k > 0)
      else if (products == FOURS) multiplyPanels<i8>(from, stride, count, operand, operandBytes, panels, steps, to, sumsBytes, k > 0)
      else multiplyPanels<f32>(from, stride, count, operand, operandBytes, panels, steps, to, sumsBytes, k > 0)
      // What this thread is likely to need next is on its way while this is computed.
      if (ahead != 0) touch(ahead, panelBytes, panels, blockSteps * bytes * r / sumRows, blockSteps * bytes * (r + count) / sumRows)
      // Sums are finished while they are in the first-level cache.
      if (isLast) finishPanels(op, to, sumsBytes, first + r / parts, count / parts, panel, panels)
    }
    b += <usize>(steps * bytes)
    a += <usize>((steps << 2) * tileRowsOf(products))
  }
}

/** Reads bytes [from, to) of a group's panels. */
function touch(block: usize, panelBytes: usize, panels: i32, from: i32, to: i32): void {
  for (let p = 0; p < panels; p++, block += panelBytes) {
    for (let at = from; at < to; at += 64) load<i32>(block + <usize>at)
  }
}

function finishPanels(op: usize, sums: usize, sumsBytes: usize, first: i32, rows: i32, panel: i32, panels: i32): void {
  const precision = weightPrecisionOf(op)
  const weight = weightAddress(op, WEIGHT)
  const depth = depthOf(op)
  const columns = widthOf(op, OUTPUT)
  const scales = precision == PRECISION_INT8 ? scalesAddress(weight, columns, depth) : 0
  for (let p = 0; p < panels; p++, sums += sumsBytes) {
    const column = (panel + p) * TILE_COLUMNS
    if (productsOf(precision) == FOURS) joinHalves(sums, rows, columnSumsAddress(weight, columns, depth) + (<usize>column << 2))
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
  // Bytes are multiplied with relaxed SIMD alone.
  if (isInteger<T>() && sizeof<T>() == 1 && !ASC_FEATURE_RELAXED_SIMD) return
  for (let r = 0; r < rows; r += tileRows<T>()) {
    for (let p = 0; p < panels; p++) {
      laidOutTile<T>(a + <usize>(r * stride), b + <usize>p * panelBytes, sums + <usize>p * sumsBytes + <usize>(r << 5), steps, accumulate)
    }
  }
}

// ---- Rows laid out: in tiles, [tile][step][row] ----

// In integers, x = scale * whole, with whole from -8191 to 8191. In bytes it is 128 * (high - 64) + low, with high and low from 0 to 127: a row's high
// halves are one row of a tile, its low ones the next.
const MOST: f32 = 8191

// @ts-ignore: decorator
@inline function partsOf(products: i32): i32 {
  return products == FOURS ? 2 : 1
}
// @ts-ignore: decorator
@inline function rowBytesOf(op: usize): i32 {
  const precision = weightPrecisionOf(op)
  return (stepsOf(precision, depthOf(op)) << 2) * partsOf(productsOf(precision))
}
// Rows make whole tiles.
// @ts-ignore: decorator
@inline function laidOutRows(op: usize): i32 {
  const tileRows = tileRowsOf(productsOf(weightPrecisionOf(op)))
  return ((ownRowsOf(op) + tileRows - 1) / tileRows) * tileRows
}
// Scales lie behind all rows.
// @ts-ignore: decorator
@inline function rowScaleAddress(op: usize, row: i32): usize {
  return sharedScratch() + <usize>blockRowsOf(op) * <usize>rowBytesOf(op) + (<usize>row << 2)
}

export function laidOutBytes(op: usize): i32 {
  return blockRowsOf(op) * (rowBytesOf(op) + 4)
}

export function layOutTasks(op: usize): i32 {
  return rowTasks(laidOutRows(op), depthOf(op))
}
/** Lays the input's rows of a task out. What a tile lacks at the end is the last row, so that no stray numbers are multiplied. */
export function layOut(op: usize, task: i32): void {
  const depth = depthOf(op)
  const precision = weightPrecisionOf(op)
  const products = productsOf(precision)
  const tileRows = tileRowsOf(products)
  const parts = partsOf(products)
  const step = <usize>(tileRows << 2)
  const tileBytes = <usize>stepsOf(precision, depth) * step
  const group = rowsOfTask(depth)
  const most = ownRowsOf(op) - 1
  const last = min(laidOutRows(op), (task + 1) * group)
  const isPatch = kindOf(op) == OP_CONV2D
  for (let r = task * group; r < last; r++) {
    const own = load<i32>(FIRST_ROW) + min(r, most)
    if (isPatch) layOutPatch(op, own, scratch())
    const row = isPatch ? scratch() : slotAddress(op, INPUT) + <usize>own * <usize>strideOf(op, INPUT)
    const part = r * parts
    const out = sharedScratch() + <usize>(part / tileRows) * tileBytes + <usize>((part % tileRows) << 2)
    if (products == FLOATS) {
      spread(row, out, step, depth)
      continue
    }
    const largest = largestOf(row, depth)
    // A row with NaN or infinity gets a scale that makes all its products so.
    store<f32>(rowScaleAddress(op, r), largest / MOST)
    // Numbers so small that their inverse is infinite count as nothing.
    const inverse: f32 = largest > 1e-30 ? MOST / largest : 0
    quantize(row, out, step, depth, inverse, products)
  }
}

// @ts-ignore: decorator
@inline export function largestOf(row: usize, depth: i32): f32 {
  let vector = splat(0)
  const vectors = depth & ~3
  for (let k = 0; k < vectors; k += 4) vector = f32x4.max(vector, f32x4.abs(v128.load(row + (<usize>k << 2))))
  let most = max(max(f32x4.extract_lane(vector, 0), f32x4.extract_lane(vector, 1)), max(f32x4.extract_lane(vector, 2), f32x4.extract_lane(vector, 3)))
  for (let k = vectors; k < depth; k++) most = max(most, abs(load<f32>(row + (<usize>k << 2))))
  return most
}

// @ts-ignore: decorator
@inline function spread(row: usize, out: usize, step: usize, depth: i32): void {
  const whole = row + (<usize>(depth & ~3) << 2)
  const end = row + (<usize>depth << 2)
  for (; row < whole; row += 16, out += 4 * step) {
    const v = v128.load(row)
    v128.store_lane<i32>(out, v, 0)
    v128.store_lane<i32>(out + step, v, 1)
    v128.store_lane<i32>(out + 2 * step, v, 2)
    v128.store_lane<i32>(out + 3 * step, v, 3)
  }
  for (; row < end; row += 4, out += step) store<f32>(out, load<f32>(row))
}

// @ts-ignore: decorator
@inline export function quantize(row: usize, out: usize, step: usize, depth: i32, inverse: f32, products: i32): void {
  const factor = splat(inverse)
  const four = products == FOURS ? step : 2 * step
  for (let k = 0; k + 4 <= depth; k += 4, row += 16, out += four) storeFour(wholeOf(v128.load(row), factor), out, step, products)
  const rest = depth & 3
  if (rest == 0) return
  let v = splat(0)
  v = f32x4.replace_lane(v, 0, load<f32>(row))
  if (rest > 1) v = f32x4.replace_lane(v, 1, load<f32>(row, 4))
  if (rest > 2) v = f32x4.replace_lane(v, 2, load<f32>(row, 8))
  storeFour(wholeOf(v, factor), out, step, products)
}

// @ts-ignore: decorator
@inline function storeFour(whole: v128, out: usize, step: usize, products: i32): void {
  if (products == PAIRS) {
    const pairs = i16x8.narrow_i32x4_s(whole, whole)
    v128.store_lane<i32>(out, pairs, 0)
    v128.store_lane<i32>(out + step, pairs, 1)
    return
  }
  const shifted = i32x4.add(whole, i32x4.splat(8192))
  const high = i32x4.shr_u(shifted, 7)
  const low = v128.and(shifted, i32x4.splat(127))
  // This puts the lowest bytes of the lanes side by side.
  const bytes = i8x16.shuffle(high, low, 0, 4, 8, 12, 16, 20, 24, 28, 0, 0, 0, 0, 0, 0, 0, 0)
  v128.store_lane<i32>(out, bytes, 0)
  v128.store_lane<i32>(out, bytes, 1, 4)
}

/** Sums of high and low halves become float sums of whole numbers, one row of 8 where there were two. */
function joinHalves(sums: usize, rows: i32, columnSums: usize): void {
  const offset0 = i32x4.shl(v128.load(columnSums), 6)
  const offset1 = i32x4.shl(v128.load(columnSums, 16), 6)
  let from = sums
  let to = sums
  for (let r = 0; r < rows; r++, from += 64, to += 32) {
    const high0 = f32x4.convert_i32x4_s(i32x4.sub(v128.load(from), offset0))
    const high1 = f32x4.convert_i32x4_s(i32x4.sub(v128.load(from, 16), offset1))
    const low0 = f32x4.convert_i32x4_s(v128.load(from, 32))
    const low1 = f32x4.convert_i32x4_s(v128.load(from, 48))
    v128.store(to, madd(high0, splat(128), low0))
    v128.store(to, madd(high1, splat(128), low1), 16)
  }
}

/** Sums of 8 columns become values: scales, bias, activation, gamma, then plus or gated by another slot. */
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
  const rowScales: usize = scales == 0 ? 0 : rowScaleAddress(op, first)
  const kind = activationOf(op)
  const combine = combineOf(op)
  const outStride = <usize>strideOf(op, OUTPUT)
  const otherStride = <usize>strideOf(op, SECOND)
  const row = <usize>(load<i32>(FIRST_ROW) + first)
  let out = slotAddress(op, OUTPUT) + row * outStride + at
  let other = combine == COMBINE_NONE ? out : slotAddress(op, SECOND) + row * otherStride + at
  for (let r = 0; r < rows; r++, sums += 32, out += outStride, other += otherStride) {
    let v0 = v128.load(sums)
    let v1 = v128.load(sums, 16)
    if (rowScales != 0) {
      const rowScale = v128.load32_splat(rowScales + (<usize>r << 2))
      v0 = f32x4.mul(v0, rowScale)
      v1 = f32x4.mul(v1, rowScale)
    }
    v0 = madd(v0, scale0, bias0)
    v1 = madd(v1, scale1, bias1)
    if (combine == COMBINE_GATE) {
      v0 = f32x4.mul(activate(kind, v128.load(other)), v0)
      v1 = f32x4.mul(activate(kind, v128.load(other, 16)), v1)
    } else {
      if (kind == ACTIVATION_GELU && scales != 0) {
        v0 = geluShort(v0)
        v1 = geluShort(v1)
      } else if (kind == ACTIVATION_GELU) {
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

// Computes scaled dot-product attention for int8 in whole numbers of 16 bits, two products a lane, where nothing changes the scores.
//
// Queries get a scale each, keys one for a block of them, values one for each column of a block; softmax makes whole numbers of its shares. Both products
// go through the tile of linear layers, whose operands are laid out: queries, and then shares, [tile][step][row], keys and values [panel][step][8]. A step
// is two columns for the scores, and two keys for the values. Heads are whole panels wide, which the lowering sees to.
import {
  findQueries,
  firstQuery,
  head,
  image,
  keyBlockOf,
  keysOf,
  LOG2_E,
  queries,
  queryBlockOf,
  up,
  writeMeans,
} from './attention-blocks'
import { rowsOf, scratch, slotAddress, strideOf, widthOf } from './context'
import { exp2, largestLane, madd, shareOf, splat, sumLanes, wholeOf } from './functions'
import { groupsOf, headsOf, INPUT, keysAtOf, OUTPUT, scaleOf, valuesAtOf } from './ops'
import { PAIRS, TILE_COLUMNS } from './packed'
import { largestOf, pairsTile, quantize, tileRowsOf } from './product'

const ROWS: i32 = tileRowsOf(PAIRS)
// Shares are 8191 at most: small ones are many, so that they get more bits than values do. The sums of a block of keys, KEY_BLOCK * 8191 * MOST_VALUE at
// most, stay within 32 bits.
const MOST_VALUE: f32 = 910
// Bytes of a tile's rows in one step, and of one panel's columns.
const ROWS_BYTES: usize = 16
const PANEL_BYTES: usize = 32

// The products of a query with a key stay within 32 bits.
// @ts-ignore: decorator
@inline function mostOfOperand(headWidth: i32): f32 {
  return floor<f32>(sqrt<f32>(<f32>0x7fffff00 / <f32>headWidth))
}

// The task under way has its sizes and addresses here, as in attention.ts.
let headWidth: i32 = 0
let packedKeys: usize = 0
let packedValues: usize = 0
let packedQueries: usize = 0
let scores: usize = 0
let shares: usize = 0
let shifts: usize = 0
let sums: usize = 0
let mixed: usize = 0
let queryScales: usize = 0
let maxima: usize = 0
let totals: usize = 0
let valueScales: usize = 0
let valueFactors: usize = 0

/** Lays the parts of a thread's scratch out from `at` on, and gives its end. */
function layOutScratch(op: usize, at: usize): usize {
  headWidth = widthOf(op, OUTPUT) / headsOf(op)
  const width = <usize>headWidth
  const keys = <usize>keyBlockOf(op)
  const rows = <usize>queryBlockOf(op, ROWS)
  packedKeys = at
  packedValues = packedKeys + keys * width * 2
  packedQueries = packedValues + keys * width * 2
  scores = packedQueries + rows * width * 2
  shares = scores + keys * ROWS * 4
  shifts = shares + keys * ROWS * 2
  sums = shifts + <usize>ROWS * SHIFT_BYTES
  mixed = sums + <usize>ROWS * PANEL_BYTES
  queryScales = mixed + rows * width * 4
  maxima = queryScales + rows * 4
  totals = maxima + rows * 4
  valueScales = totals + rows * 4
  valueFactors = valueScales + width * 4
  return valueFactors + width * 4
}

export function integerAttentionScratchBytes(op: usize): i32 {
  return <i32>layOutScratch(op, 0)
}

export function integerAttention(op: usize, task: i32): void {
  if (!findQueries(op, task, ROWS)) return
  layOutScratch(op, scratch())
  const column = <usize>(head * headWidth) << 2
  const stride = <usize>strideOf(op, INPUT)
  const rows = slotAddress(op, INPUT) + <usize>(image * (rowsOf(op, INPUT) / groupsOf(op))) * stride + column
  packQueries(rows + <usize>firstQuery * stride, stride, scaleOf(op) < 0)
  const key = rows + (<usize>keysAtOf(op) << 2)
  const value = rows + (<usize>valuesAtOf(op) << 2)
  const allKeys = keysOf(op)
  const keyBlock = keyBlockOf(op)
  for (let from = 0; from < allKeys; from += keyBlock) {
    const keys = min(keyBlock, allKeys - from)
    const keyScale = packKeys(key + <usize>from * stride, stride, keys)
    packValues(value + <usize>from * stride, stride, keys)
    const scale = keyScale * abs(scaleOf(op)) * LOG2_E
    for (let r = 0; r < queries; r += ROWS) mixTile(r, keys, scale, from == 0)
  }
  writeMeans(op, mixed, headWidth, totals)
}

/**
 * Makes whole numbers of queries. What the last tile lacks is the last query once more. Where the factor of scores is below zero queries change their signs
 * instead, so that the largest score is the largest product.
 */
function packQueries(query: usize, stride: usize, isTurned: bool): void {
  const most = mostOfOperand(headWidth)
  const tileBytes = <usize>(headWidth >> 1) * ROWS_BYTES
  for (let r = 0; r < up(queries, ROWS); r++) {
    const row = query + <usize>min(r, queries - 1) * stride
    const largest = largestOf(row, headWidth)
    const to = packedQueries + <usize>(r / ROWS) * tileBytes + (<usize>(r % ROWS) << 2)
    quantize(row, to, ROWS_BYTES, headWidth, inverseOf(largest, isTurned ? -most : most), PAIRS)
    store<f32>(queryScales + (<usize>r << 2), largest / most)
  }
}
// Numbers so small that their inverse is infinite count as nothing.
// @ts-ignore: decorator
@inline function inverseOf(largest: f32, most: f32): f32 {
  return largest > 1e-30 ? most / largest : 0
}

/** Makes whole numbers of keys, and gives their scale. What the last panel lacks is left as it is: nobody looks at its scores. */
function packKeys(key: usize, stride: usize, keys: i32): f32 {
  const most = mostOfOperand(headWidth)
  const panelBytes = <usize>(headWidth >> 1) * PANEL_BYTES
  let largest: f32 = 0
  for (let n = 0; n < keys; n++) largest = max(largest, largestOf(key + <usize>n * stride, headWidth))
  const inverse = inverseOf(largest, most)
  for (let n = 0; n < keys; n++) {
    const to = packedKeys + <usize>(n / TILE_COLUMNS) * panelBytes + (<usize>(n % TILE_COLUMNS) << 2)
    quantize(key + <usize>n * stride, to, PANEL_BYTES, headWidth, inverse, PAIRS)
  }
  return largest / most
}

/** Makes whole numbers of values. Behind an odd last key comes one of zeros. Further keys that the last panel of scores lacks weigh nothing. */
function packValues(value: usize, stride: usize, keys: i32): void {
  const width = <usize>headWidth << 2
  for (let c: usize = 0; c < width; c += 16) {
    let largest = splat(0)
    for (let n = 0; n < keys; n++) largest = f32x4.max(largest, f32x4.abs(v128.load(value + <usize>n * stride + c)))
    v128.store(valueScales + c, f32x4.mul(largest, splat(1 / MOST_VALUE)))
    v128.store(valueFactors + c, v128.and(f32x4.div(splat(MOST_VALUE), largest), f32x4.gt(largest, splat(1e-30))))
  }
  const panelBytes = <usize>(up(keys, TILE_COLUMNS) >> 1) * PANEL_BYTES
  for (let n = 0; n < keys; n += 2) {
    const even = value + <usize>n * stride
    const odd = even + stride
    let to = packedValues + <usize>(n >> 1) * PANEL_BYTES
    for (let c: usize = 0; c < width; c += 32, to += panelBytes) {
      for (let half: usize = 0; half < 32; half += 16) {
        const factor = v128.load(valueFactors + c + half)
        const a = wholeOf(v128.load(even + c + half), factor)
        const b = n + 1 < keys ? wholeOf(v128.load(odd + c + half), factor) : splat(0)
        v128.store(to + half, v128.or(v128.and(a, i32x4.splat(0xffff)), i32x4.shl(b, 16)))
      }
    }
  }
}

/** Scores a tile of queries from the `first` on against the block's keys, and adds their shares of its values. */
function mixTile(first: i32, keys: i32, scale: f32, isFirst: bool): void {
  const steps = headWidth >> 1
  const panelBytes = <usize>steps * PANEL_BYTES
  const query = packedQueries + <usize>(first / ROWS) * <usize>steps * ROWS_BYTES
  let key = packedKeys
  for (let n = 0; n < keys; n += TILE_COLUMNS, key += panelBytes) {
    pairsTile(query, key, scores + <usize>n * ROWS_BYTES, steps)
  }
  forgetMissing(keys)
  for (let r = 0; r < ROWS; r++) findShift(r, first + r, keys, scale, isFirst)
  shareKeys(first, keys)
  mixValues(first, keys, isFirst)
}

/** Gives the keys that the last panel lacks a score that is never the largest. */
function forgetMissing(keys: i32): void {
  for (let n = keys; n < up(keys, TILE_COLUMNS); n++) {
    const at = scores + <usize>(n & -TILE_COLUMNS) * ROWS_BYTES + (<usize>(n % TILE_COLUMNS) << 2)
    for (let r = 0; r < ROWS; r++) store<f32>(at + <usize>r * PANEL_BYTES, -Infinity)
  }
}

// A row's shift says how its products become exponents of two, (product - MOST) * FACTOR + BELOW, and by how much what was mixed before shrinks.
const MOST: usize = 0
const FACTOR: usize = 4
const BELOW: usize = 8
const SHRINK: usize = 12
const SHIFT_BYTES: usize = 16

/** Finds the shift of a row, and moves its query's running maximum, in base 2, on. */
function findShift(r: i32, query: i32, keys: i32, scale: f32, isFirst: bool): void {
  const own = scores + <usize>r * PANEL_BYTES
  let largest = f32x4.pmax(v128.load(own), v128.load(own, 16))
  for (let n = TILE_COLUMNS; n < keys; n += TILE_COLUMNS) {
    const at = own + <usize>n * ROWS_BYTES
    largest = f32x4.pmax(largest, f32x4.pmax(v128.load(at), v128.load(at, 16)))
  }
  const at = <usize>query << 2
  const shift = shifts + <usize>r * SHIFT_BYTES
  const most = largestLane(largest)
  const factor = load<f32>(queryScales + at) * scale
  const scaled = most * factor
  const before = load<f32>(maxima + at)
  const now = isFirst ? scaled : max(before, scaled)
  store<f32>(maxima + at, now)
  store<f32>(shift + MOST, most)
  store<f32>(shift + FACTOR, factor)
  store<f32>(shift + BELOW, scaled - now)
  store<f32>(shift + SHRINK, isFirst ? 0 : f32x4.extract_lane(exp2(splat(before - now)), 0))
}

/** Makes shares of the scores of a tile, laid out for the product with the values, and moves the sums of its queries on. */
function shareKeys(first: i32, keys: i32): void {
  const ones = i16x8.splat(1)
  let sum0 = splat(0), sum1 = splat(0), sum2 = splat(0), sum3 = splat(0)
  let from = scores
  let to = shares
  for (let n = 0; n < keys; n += TILE_COLUMNS, from += 128, to += 64) {
    // What the last panel lacks weighs nothing, even where all scores are equal.
    const present = i16x8.gt_s(i16x8.splat(<i16>min(keys - n, TILE_COLUMNS)), i16x8(0, 1, 2, 3, 4, 5, 6, 7))
    const a = v128.and(sharesOf(from, shifts), present)
    const b = v128.and(sharesOf(from + PANEL_BYTES, shifts + SHIFT_BYTES), present)
    const c = v128.and(sharesOf(from + 2 * PANEL_BYTES, shifts + 2 * SHIFT_BYTES), present)
    const d = v128.and(sharesOf(from + 3 * PANEL_BYTES, shifts + 3 * SHIFT_BYTES), present)
    sum0 = i32x4.add(sum0, i32x4.dot_i16x8_s(a, ones))
    sum1 = i32x4.add(sum1, i32x4.dot_i16x8_s(b, ones))
    sum2 = i32x4.add(sum2, i32x4.dot_i16x8_s(c, ones))
    sum3 = i32x4.add(sum3, i32x4.dot_i16x8_s(d, ones))
    const ab = v128.shuffle<i32>(a, b, 0, 4, 1, 5)
    const abHigh = v128.shuffle<i32>(a, b, 2, 6, 3, 7)
    const cd = v128.shuffle<i32>(c, d, 0, 4, 1, 5)
    const cdHigh = v128.shuffle<i32>(c, d, 2, 6, 3, 7)
    v128.store(to, v128.shuffle<i64>(ab, cd, 0, 2))
    v128.store(to, v128.shuffle<i64>(ab, cd, 1, 3), 16)
    v128.store(to, v128.shuffle<i64>(abHigh, cdHigh, 0, 2), 32)
    v128.store(to, v128.shuffle<i64>(abHigh, cdHigh, 1, 3), 48)
  }
  const total = totals + (<usize>first << 2)
  moveTotal(total, sum0, shifts)
  moveTotal(total + 4, sum1, shifts + SHIFT_BYTES)
  moveTotal(total + 8, sum2, shifts + 2 * SHIFT_BYTES)
  moveTotal(total + 12, sum3, shifts + 3 * SHIFT_BYTES)
}
// @ts-ignore: decorator
@inline function sharesOf(scores: usize, shift: usize): v128 {
  const most = v128.load32_splat(shift, MOST)
  const factor = v128.load32_splat(shift, FACTOR)
  const below = v128.load32_splat(shift, BELOW)
  const low = shareOf(madd(f32x4.sub(v128.load(scores), most), factor, below))
  return i16x8.narrow_i32x4_s(low, shareOf(madd(f32x4.sub(v128.load(scores, 16), most), factor, below)))
}
// Whole numbers know no NaN: where the scale of a query or of keys is one, or infinite, it comes in here.
// @ts-ignore: decorator
@inline function moveTotal(total: usize, sum: v128, shift: usize): void {
  const shrink = load<f32>(shift + SHRINK)
  const factor = load<f32>(shift + FACTOR)
  const before: f32 = shrink == 0 ? 0 : load<f32>(total) * shrink
  store<f32>(total, before + sumLanes(f32x4.convert_i32x4_s(sum)) + (factor - factor))
}

/** Adds the block's values, weighted by the shares of a tile, to what its queries have mixed. */
function mixValues(first: i32, keys: i32, isFirst: bool): void {
  const steps = up(keys, TILE_COLUMNS) >> 1
  const rowBytes = <usize>headWidth << 2
  let value = packedValues
  for (let c: usize = 0; c < rowBytes; c += 32, value += <usize>steps * PANEL_BYTES) {
    pairsTile(shares, value, sums, steps)
    const scale0 = v128.load(valueScales + c)
    const scale1 = v128.load(valueScales + c, 16)
    for (let r: usize = 0; r < <usize>ROWS; r++) {
      const to = mixed + (<usize>first + r) * rowBytes + c
      const shrink = v128.load32_splat(shifts + r * SHIFT_BYTES, SHRINK)
      const before0 = isFirst ? splat(0) : f32x4.mul(v128.load(to), shrink)
      const before1 = isFirst ? splat(0) : f32x4.mul(v128.load(to, 16), shrink)
      v128.store(to, madd(v128.load(sums + r * PANEL_BYTES), scale0, before0))
      v128.store(to, madd(v128.load(sums + r * PANEL_BYTES, 16), scale1, before1), 16)
    }
  }
}

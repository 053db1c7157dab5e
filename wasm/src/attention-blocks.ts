// Says how attention is cut into blocks, whatever it multiplies, and ends a block of queries.
import { rowsOf } from './context'
import { splat } from './functions'
import { groupsOf, INPUT, OUTPUT, SECOND, WEIGHT_OPERAND_QUERY, weightOperandOf } from './ops'

// A block has so many at most; blocks are of even size. Keys and values of a block lie packed in the second-level cache, and the scores of
// a tile of queries stay in the first.
export const QUERY_BLOCK: i32 = 144
export const KEY_BLOCK: i32 = 288
export const LOG2_E: f32 = 1.44269504088896341

// @ts-ignore: decorator
@inline export function up(value: i32, unit: i32): i32 {
  return ((value + unit - 1) / unit) * unit
}

/** Counts the queries of a group, which is like an image of its own. */
export function queriesOf(op: usize): i32 {
  return (weightOperandOf(op) == WEIGHT_OPERAND_QUERY ? rowsOf(op, OUTPUT) : rowsOf(op, INPUT)) / groupsOf(op)
}
// @ts-ignore: decorator
@inline export function blocksOf(op: usize): i32 {
  return (queriesOf(op) + QUERY_BLOCK - 1) / QUERY_BLOCK
}
// @ts-ignore: decorator
@inline export function keysOf(op: usize): i32 {
  return rowsOf(op, weightOperandOf(op) == WEIGHT_OPERAND_QUERY ? INPUT : SECOND) / groupsOf(op)
}
/** Shares `count` out evenly, in whole tiles, among as many blocks as it takes. */
export function blockSize(count: i32, most: i32, unit: i32): i32 {
  const blocks = (count + most - 1) / most
  return up((count + blocks - 1) / blocks, unit)
}

/** Divides what was mixed by the sum of its shares. The columns beside belong to another head and perhaps another thread: not a float more is written. */
export function writeMeans(
  mixed: usize,
  mixedWidth: i32,
  totals: usize,
  queries: i32,
  headWidth: i32,
  out: usize,
  outStride: usize,
): void {
  const vectors = headWidth & ~3
  for (let r = 0; r < queries; r++, out += outStride) {
    const share: f32 = 1 / load<f32>(totals + (<usize>r << 2))
    const from = mixed + <usize>(r * mixedWidth * 4)
    for (let c = 0; c < vectors; c += 4) {
      v128.store(out + (<usize>c << 2), f32x4.mul(v128.load(from + (<usize>c << 2)), splat(share)))
    }
    for (let c = vectors; c < headWidth; c++) {
      store<f32>(out + (<usize>c << 2), load<f32>(from + (<usize>c << 2)) * share)
    }
  }
}

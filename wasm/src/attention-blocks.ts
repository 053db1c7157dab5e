// Says how attention is cut into blocks, whatever it multiplies, and which queries a task has; and ends a block of them.
import { rowsOf, slotAddress, strideOf, widthOf } from './context'
import { splat } from './functions'
import { groupsOf, headsOf, INPUT, OUTPUT, SECOND, WEIGHT_OPERAND_QUERY, weightOperandOf } from './ops'
import { TILE_COLUMNS } from './packed'

// A block has so many at most; blocks are of even size. Keys and values of a block lie packed in the second-level cache, and the scores of
// a tile of queries stay in the first.
const QUERY_BLOCK: i32 = 144
const KEY_BLOCK: i32 = 288
export const LOG2_E: f32 = 1.44269504088896341

// @ts-ignore: decorator
@inline export function up(value: i32, unit: i32): i32 {
  return ((value + unit - 1) / unit) * unit
}

/** Counts the queries of a group, which is like an image of its own. */
function queriesOf(op: usize): i32 {
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
function blockSize(count: i32, most: i32, unit: i32): i32 {
  const blocks = (count + most - 1) / most
  return up((count + blocks - 1) / blocks, unit)
}

/** Counts the queries of a block, in whole tiles of so many rows. */
export function queryBlockOf(op: usize, tileRows: i32): i32 {
  return blockSize(queriesOf(op), QUERY_BLOCK, tileRows)
}
/** Counts the keys of a block, in whole panels. */
export function keyBlockOf(op: usize): i32 {
  return blockSize(keysOf(op), KEY_BLOCK, TILE_COLUMNS)
}

// The task under way has `queries` queries of one image and head, from the first on; a group is like an image of its own.
export let image: i32 = 0
export let head: i32 = 0
export let firstQuery: i32 = 0
export let queries: i32 = 0

/** Finds the queries of a task, and tells whether there are any: rounding up to whole tiles may leave nothing for the last block. */
export function findQueries(op: usize, task: i32, tileRows: i32): bool {
  const heads = headsOf(op)
  const blocks = blocksOf(op)
  const queryBlock = queryBlockOf(op, tileRows)
  image = task / (heads * blocks)
  head = (task / blocks) % heads
  firstQuery = (task % blocks) * queryBlock
  queries = min(queryBlock, queriesOf(op) - firstQuery)
  return queries > 0
}

/** Divides what was mixed by the sum of its shares. The columns beside belong to another head and perhaps another thread: not a float more is written. */
export function writeMeans(op: usize, mixed: usize, mixedWidth: i32, totals: usize): void {
  const headWidth = widthOf(op, OUTPUT) / headsOf(op)
  const outStride = <usize>strideOf(op, OUTPUT)
  let out = slotAddress(op, OUTPUT) + <usize>(image * queriesOf(op) + firstQuery) * outStride + (<usize>(head * headWidth) << 2)
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

// Gives what attention weighs values by, for the rows and heads that are asked for: a row of scores is complete before its softmax, since it is what is
// wanted. A task has some rows of one head, or of all heads where they are joined.
import { packKeys, softmaxRow } from './attention'
import { keysOf, up } from './attention-blocks'
import { batch, constantAddress, rowsOf, scratch, slotAddress, strideOf, widthOf } from './context'
import { dot, splat } from './functions'
import {
  gridColumnsOf,
  gridRowsOf,
  groupsOf,
  HEAD_FUSION_MAX,
  HEAD_FUSION_MEAN,
  HEAD_FUSION_NONE,
  HEAD_INDEX,
  headCountOf,
  headFusionOf,
  headsOf,
  INPUT,
  KEY_COUNTS,
  KEY_MASK_CAUSAL,
  KEY_MASK_KEYS,
  keyMaskOf,
  keysAtOf,
  OUTPUT,
  ROW_INDEX,
  SECOND,
} from './ops'
import { TILE_COLUMNS } from './packed'
import { TILE_ROWS, tile } from './product'
import { beginChange, changeScores } from './score-change'

// Keys are packed once for so many rows; fewer than two tiles of them are not worth it.
const BLOCK_ROWS: i32 = 288

function isApart(op: usize): bool {
  return headFusionOf(op) == HEAD_FUSION_NONE
}
function lotsOf(op: usize): i32 {
  return isApart(op) ? headCountOf(op) : 1
}
function askedRows(op: usize): i32 {
  return rowsOf(op, OUTPUT) / lotsOf(op)
}
function blocksOf(op: usize): i32 {
  return (askedRows(op) + BLOCK_ROWS - 1) / BLOCK_ROWS
}
function isTiled(op: usize): bool {
  return askedRows(op) >= 2 * TILE_ROWS
}
/** Keys and values, as wide as each other, share out what a row has behind the queries. */
function headWidthOf(op: usize): i32 {
  return (widthOf(op, SECOND) - keysAtOf(op)) / 2 / headsOf(op)
}
/** Gives the number that an index has at a place; the place itself where there is no index. */
function indexed(index: usize, place: i32): i32 {
  return index == 0 ? place : <i32>load<f32>(index + (<usize>place << 2))
}

export function attentionWeightsTasks(op: usize): i32 {
  return batch() * lotsOf(op) * blocksOf(op)
}

/** A thread keeps packed keys where rows are many, the scores and the queries of a tile, and what the bias of a query needs. */
export function attentionWeightsScratchBytes(op: usize): i32 {
  const width = up(headWidthOf(op), 4)
  const line = up(keysOf(op), TILE_COLUMNS)
  return ((isTiled(op) ? line * width : 0) + TILE_ROWS * (line + width) + up(gridRowsOf(op) + gridColumnsOf(op), 4)) * 4
}

// The task under way has its sizes and addresses here.
let headWidth: i32 = 0
let keys: i32 = 0
let own: i32 = 0
let packed: usize = 0
let scores: usize = 0
let scoresStride: i32 = 0
let queries: usize = 0
let biases: usize = 0

export function attentionWeights(op: usize, task: i32): void {
  const blocks = blocksOf(op)
  const lots = lotsOf(op)
  const image = task / blocks / lots
  const lot = (task / blocks) % lots
  const end = min(askedRows(op), ((task % blocks) + 1) * BLOCK_ROWS)
  layOutScratch(op)
  const rowIndex = constantAddress(op, ROW_INDEX)
  let last = (task % blocks) * BLOCK_ROWS
  // Rows of one group, which is like an image of its own, share their keys.
  for (let first = last; first < end; first = last) {
    const group = indexed(rowIndex, first) / own
    while (last < end && indexed(rowIndex, last) / own == group) last++
    if (isApart(op)) {
      passHead(op, image, group, lot, first, last)
    } else {
      for (let index = 0; index < headCountOf(op); index++) passHead(op, image, group, index, first, last)
    }
  }
}

function layOutScratch(op: usize): void {
  headWidth = headWidthOf(op)
  keys = keysOf(op)
  own = rowsOf(op, INPUT) / groupsOf(op)
  const width = up(headWidth, 4)
  scoresStride = up(keys, TILE_COLUMNS) * 4
  packed = scratch()
  scores = packed + (isTiled(op) ? <usize>(width * scoresStride) : 0)
  queries = scores + <usize>(TILE_ROWS * scoresStride)
  biases = queries + <usize>(TILE_ROWS * width * 4)
}

/** Passes rows [first, last), which are of one group, for a head. */
function passHead(op: usize, image: i32, group: i32, index: i32, first: i32, last: i32): void {
  const head = indexed(constantAddress(op, HEAD_INDEX), index)
  const column = <usize>(head * headWidth) << 2
  const stride = <usize>strideOf(op, INPUT)
  const query = slotAddress(op, INPUT) + <usize>(image * rowsOf(op, INPUT) + group * own) * stride + column
  const keyStride = <usize>strideOf(op, SECOND)
  const key = slotAddress(op, SECOND) + <usize>(image * rowsOf(op, SECOND) + group * keys) * keyStride + (<usize>keysAtOf(op) << 2) + column
  const outStride = <usize>strideOf(op, OUTPUT)
  const line = image * rowsOf(op, OUTPUT) + (isApart(op) ? index * askedRows(op) : 0)
  const out = slotAddress(op, OUTPUT) + <usize>line * outStride
  const rowIndex = constantAddress(op, ROW_INDEX)
  if (isTiled(op)) packKeys(key, keyStride, keys, headWidth, packed)
  for (let r = first; r < last; r += TILE_ROWS) {
    const count = min(TILE_ROWS, last - r)
    for (let i = 0; i < count; i++) {
      const place = indexed(rowIndex, r + i) % own
      memory.copy(queries + <usize>(i * headWidth * 4), query + <usize>place * stride, <usize>headWidth << 2)
    }
    if (isTiled(op)) {
      for (let n = 0; n < keys; n += TILE_COLUMNS) {
        tile(queries, headWidth * 4, packed + <usize>(n * headWidth * 4), 32, scores + (<usize>n << 2), scoresStride, headWidth, count, false)
      }
    } else {
      scoreApart(key, keyStride, count)
    }
    for (let i = 0; i < count; i++) {
      const place = indexed(rowIndex, r + i) % own
      const row = scores + <usize>(i * scoresStride)
      beginChange(op, head, headWidth, place, 1, queries + <usize>(i * headWidth * 4), biases)
      changeScores(row, 0, 0, keys)
      const seen = keysSeen(op, group, place)
      softmaxRow(row, seen)
      memory.fill(row + (<usize>seen << 2), 0, <usize>(keys - seen) << 2)
      put(op, row, out + <usize>(r + i) * outStride, index)
    }
  }
}

/** Scores a few queries against the keys where they lie. */
function scoreApart(key: usize, keyStride: usize, count: i32): void {
  for (let n = 0; n < keys; n++, key += keyStride) {
    for (let i = 0; i < count; i++) {
      const score = dot(queries + <usize>(i * headWidth * 4), key, headWidth)
      store<f32>(scores + <usize>(i * scoresStride) + (<usize>n << 2), score)
    }
  }
}

function keysSeen(op: usize, group: i32, place: i32): i32 {
  if (keyMaskOf(op) == KEY_MASK_CAUSAL) return place + 1
  if (keyMaskOf(op) != KEY_MASK_KEYS) return keys
  return <i32>load<f32>(constantAddress(op, KEY_COUNTS) + (<usize>group << 2))
}

/** Puts the weights of a head into a row of the output, or joins them with those of the heads before. Rows end with whole vectors. */
function put(op: usize, row: usize, out: usize, index: i32): void {
  const fusion = headFusionOf(op)
  const isFirst = index == 0 || fusion == HEAD_FUSION_NONE
  const share = splat(fusion == HEAD_FUSION_MEAN ? <f32>1 / <f32>headCountOf(op) : <f32>1)
  for (let n = 0; n < keys; n += 4) {
    const at = out + (<usize>n << 2)
    const weight = f32x4.mul(v128.load(row + (<usize>n << 2)), share)
    const before = v128.load(at)
    if (isFirst) v128.store(at, weight)
    else if (fusion == HEAD_FUSION_MEAN) v128.store(at, f32x4.add(before, weight))
    else if (fusion == HEAD_FUSION_MAX) v128.store(at, f32x4.max(before, weight))
    else v128.store(at, f32x4.min(before, weight))
  }
}

// Computes scaled dot-product attention: a task has a block of queries of one head, and goes over blocks of keys with a running maximum and sum for
// each query. Attention of a few latents is here as well; neither gives a matrix to memory. What int8 multiplies is in integer-attention.ts.
import {
  blocksOf,
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
import {
  batch,
  constantAddress,
  rowsOf,
  scratch,
  slotAddress,
  strideOf,
  weightAddress,
  widthOf,
} from './context'
import { dot, exp2, largestLane, splat, sumLanes } from './functions'
import { integerAttention, integerAttentionScratchBytes } from './integer-attention'
import {
  groupsOf,
  headsOf,
  INPUT,
  KEY_COUNTS,
  KEY_MASK_CAUSAL,
  KEY_MASK_KEYS,
  keyMaskOf,
  keysAtOf,
  latentsOf,
  OUTPUT,
  PRECISION_INT8,
  precisionOf,
  SCORE_BIAS_NONE,
  scaleOf,
  scoreBiasOf,
  SECOND,
  valuesAtOf,
  WEIGHT,
  WEIGHT_OPERAND_KEY,
  WEIGHT_OPERAND_QUERY,
  weightOperandOf,
} from './ops'
import { TILE_COLUMNS } from './packed'
import { TILE_ROWS, tile } from './product'
import { beginChange, biasFloats, changeScores } from './score-change'

/** Counts the keys that the queries of a group see: a mask may take the last ones out. */
function keysSeen(op: usize, group: i32): i32 {
  if (keyMaskOf(op) != KEY_MASK_KEYS) return keysOf(op)
  return <i32>load<f32>(constantAddress(op, KEY_COUNTS) + (<usize>(group % groupsOf(op)) << 2))
}

export function attentionTasks(op: usize): i32 {
  return batch() * groupsOf(op) * headsOf(op) * blocksOf(op)
}

/** A thread keeps keys, values, scores of a tile of queries, mixed values, then the maximum and sum of each query; and what biases need. */
export function attentionScratchBytes(op: usize): i32 {
  if (precisionOf(op) == PRECISION_INT8) return integerAttentionScratchBytes(op)
  const headWidth = up(widthOf(op, OUTPUT) / headsOf(op), TILE_COLUMNS)
  const keyBlock = keyBlockOf(op)
  const queryBlock = queryBlockOf(op, TILE_ROWS)
  return (2 * headWidth * keyBlock + TILE_ROWS * keyBlock + queryBlock * headWidth + 2 * queryBlock + biasFloats(op, queryBlock)) * 4
}

// The task under way has its sizes and addresses here: there are no objects to hand about, and each thread has globals of its own.
let headWidth: i32 = 0
let mixedWidth: i32 = 0
let keyBlock: i32 = 0
let query: usize = 0
let queryStride: usize = 0
let key: usize = 0
let keyStride: usize = 0
let value: usize = 0
let valueStride: usize = 0
let packedKeys: usize = 0
let packedValues: usize = 0
let scores: usize = 0
let mixed: usize = 0
let maxima: usize = 0
let totals: usize = 0
let biases: usize = 0

export function attention(op: usize, task: i32): void {
  if (precisionOf(op) == PRECISION_INT8) return integerAttention(op, task)
  if (!findQueries(op, task, TILE_ROWS)) return
  headWidth = widthOf(op, OUTPUT) / headsOf(op)
  findOperands(op)
  layOutScratch(op)
  for (let r = 0; r < queries; r++) {
    store<f32>(maxima + (<usize>r << 2), -Infinity)
    store<f32>(totals + (<usize>r << 2), 0)
  }
  const causal = keyMaskOf(op) == KEY_MASK_CAUSAL
  const changes = causal || scoreBiasOf(op) != SCORE_BIAS_NONE
  if (changes) beginChange(op, head, headWidth, firstQuery, queries, query, biases)
  const scale = (changes ? <f32>1 : scaleOf(op)) * LOG2_E
  // Nobody sees the keys behind the last query where each sees those up to its own place.
  const allKeys = causal ? firstQuery + queries : keysSeen(op, image)
  for (let from = 0; from < allKeys; from += keyBlock) {
    const keys = min(keyBlock, allKeys - from)
    packKeys(key + <usize>from * keyStride, keyStride, keys, headWidth, packedKeys)
    packValues(value + <usize>from * valueStride, valueStride, keys, headWidth, packedValues)
    for (let r = 0; r < queries; r += TILE_ROWS) mixTile(r, keys, scale, from, changes)
  }
  writeMeans(op, mixed, mixedWidth, totals)
}

/** Self-attention has queries, keys and values side by side; soft mixtures take weights for queries or keys. */
function findOperands(op: usize): void {
  const column = <usize>(head * headWidth) << 2
  const bytes = <usize>widthOf(op, OUTPUT) << 2
  const inStride = <usize>strideOf(op, INPUT)
  const inImage = slotAddress(op, INPUT) + <usize>(image * (rowsOf(op, INPUT) / groupsOf(op))) * inStride
  valueStride = <usize>strideOf(op, SECOND)
  const secondImage = slotAddress(op, SECOND) + <usize>(image * (rowsOf(op, SECOND) / groupsOf(op))) * valueStride
  query = inImage
  queryStride = inStride
  key = secondImage + (<usize>keysAtOf(op) << 2)
  keyStride = valueStride
  if (weightOperandOf(op) == WEIGHT_OPERAND_QUERY) {
    query = weightAddress(op, WEIGHT)
    queryStride = bytes
    key = inImage
    keyStride = inStride
  } else if (weightOperandOf(op) == WEIGHT_OPERAND_KEY) {
    key = weightAddress(op, WEIGHT)
    keyStride = bytes
  }
  query += <usize>firstQuery * queryStride + column
  key += column
  value = secondImage + (<usize>valuesAtOf(op) << 2) + column
}

function layOutScratch(op: usize): void {
  const queryBlock = queryBlockOf(op, TILE_ROWS)
  keyBlock = keyBlockOf(op)
  mixedWidth = up(headWidth, TILE_COLUMNS)
  packedKeys = scratch()
  packedValues = packedKeys + <usize>(mixedWidth * keyBlock * 4)
  scores = packedValues + <usize>(mixedWidth * keyBlock * 4)
  mixed = scores + <usize>(TILE_ROWS * keyBlock * 4)
  maxima = mixed + <usize>(queryBlock * mixedWidth * 4)
  totals = maxima + <usize>(queryBlock * 4)
  biases = totals + <usize>(queryBlock * 4)
}

/** Scores a tile of queries from the `first` on against the block's keys, and adds their shares of its values. */
function mixTile(first: i32, keys: i32, scale: f32, firstKey: i32, changes: bool): void {
  const count = min(TILE_ROWS, queries - first)
  const scoresStride = keyBlock * 4
  const mixedStride = mixedWidth * 4
  const a = query + <usize>first * queryStride
  for (let n = 0; n < keys; n += TILE_COLUMNS) {
    tile(a, <i32>queryStride, packedKeys + <usize>(n * headWidth * 4), 32, scores + (<usize>n << 2), scoresStride, headWidth, count, false)
  }
  const sums = mixed + <usize>(first * mixedStride)
  for (let i = 0; i < count; i++) {
    const at = <usize>(first + i) << 2
    const own = scores + <usize>(i * scoresStride)
    if (changes) changeScores(own, first + i, firstKey, keys)
    softmax(own, keys, scale, maxima + at, totals + at, sums + <usize>(i * mixedStride), mixedWidth)
  }
  for (let c = 0; c < headWidth; c += TILE_COLUMNS) {
    tile(scores, scoresStride, packedValues + <usize>(c * keys * 4), 32, sums + (<usize>c << 2), mixedStride, keys, count, firstKey > 0)
  }
}

/** Puts keys side by side, [keys / 8][headWidth][8], with zeros where there is none. */
export function packKeys(key: usize, stride: usize, keys: i32, headWidth: i32, packed: usize): void {
  const squares = headWidth & ~3
  let first = 0
  // This turns squares of four keys by four numbers.
  for (; first + 4 <= keys; first += 4) {
    let from = key + <usize>first * stride
    let to = packed + <usize>((first / TILE_COLUMNS) * headWidth * TILE_COLUMNS + (first % TILE_COLUMNS)) * 4
    for (let d = 0; d < squares; d += 4, from += 16, to += 128) {
      const a = v128.load(from)
      const b = v128.load(from + stride)
      const c = v128.load(from + 2 * stride)
      const e = v128.load(from + 3 * stride)
      const ab = v128.shuffle<i32>(a, b, 0, 4, 1, 5)
      const abHigh = v128.shuffle<i32>(a, b, 2, 6, 3, 7)
      const ce = v128.shuffle<i32>(c, e, 0, 4, 1, 5)
      const ceHigh = v128.shuffle<i32>(c, e, 2, 6, 3, 7)
      v128.store(to, v128.shuffle<i64>(ab, ce, 0, 2))
      v128.store(to, v128.shuffle<i64>(ab, ce, 1, 3), 32)
      v128.store(to, v128.shuffle<i64>(abHigh, ceHigh, 0, 2), 64)
      v128.store(to, v128.shuffle<i64>(abHigh, ceHigh, 1, 3), 96)
    }
    for (let d = squares; d < headWidth; d++, from += 4, to += 32) {
      for (let i = 0; i < 4; i++) store<f32>(to + (<usize>i << 2), load<f32>(from + <usize>i * stride))
    }
  }
  for (let n = first; n < keys; n++) {
    const from = key + <usize>n * stride
    let to = packed + <usize>((n / TILE_COLUMNS) * headWidth * TILE_COLUMNS + (n % TILE_COLUMNS)) * 4
    for (let d = 0; d < headWidth; d++, to += 32) store<f32>(to, load<f32>(from + (<usize>d << 2)))
  }
  for (let n = keys; n < up(keys, TILE_COLUMNS); n++) {
    let to = packed + <usize>((n / TILE_COLUMNS) * headWidth * TILE_COLUMNS + (n % TILE_COLUMNS)) * 4
    for (let d = 0; d < headWidth; d++, to += 32) store<f32>(to, 0)
  }
}

/** Puts values into panels of 8 columns, [headWidth / 8][keys][8], with zeros where there is none. */
function packValues(value: usize, stride: usize, keys: i32, headWidth: i32, packed: usize): void {
  for (let c = 0; c < headWidth; c += TILE_COLUMNS) {
    let from = value + (<usize>c << 2)
    let to = packed + <usize>(c * keys * 4)
    const present = headWidth - c
    for (let n = 0; n < keys; n++, from += stride, to += 32) {
      if (present >= TILE_COLUMNS) {
        v128.store(to, v128.load(from))
        v128.store(to, v128.load(from, 16), 16)
      } else {
        for (let i = 0; i < TILE_COLUMNS; i++) store<f32>(to + (<usize>i << 2), i < present ? load<f32>(from + (<usize>i << 2)) : 0)
      }
    }
  }
}

/** Turns the scores of one query into shares, moves its running maximum and sum on, and scales what was mixed before. */
function softmax(scores: usize, keys: i32, scale: f32, maximum: usize, total: usize, mixed: usize, mixedWidth: i32): void {
  // The last vector is filled up with what weighs nothing.
  for (let n = keys; n < up(keys, 4); n++) store<f32>(scores + (<usize>n << 2), -Infinity)
  let most = v128.load(scores)
  for (let n = 4; n < keys; n += 4) most = f32x4.pmax(most, v128.load(scores + (<usize>n << 2)))
  const before = load<f32>(maximum)
  const now = max(before, largestLane(most))
  const shift = splat(now)
  const factor = splat(scale)
  let sum = splat(0)
  for (let n = 0; n < keys; n += 4) {
    const at = scores + (<usize>n << 2)
    const weight = exp2(f32x4.mul(f32x4.sub(v128.load(at), shift), factor))
    v128.store(at, weight)
    sum = f32x4.add(sum, weight)
  }
  store<f32>(maximum, now)
  if (before == -Infinity) {
    store<f32>(total, sumLanes(sum))
    return
  }
  const shrink = f32x4.extract_lane(exp2(f32x4.mul(splat(before - now), factor)), 0)
  store<f32>(total, load<f32>(total) * shrink + sumLanes(sum))
  if (shrink == 1) return
  for (let c = 0; c < mixedWidth; c += 4) {
    const at = mixed + (<usize>c << 2)
    v128.store(at, f32x4.mul(v128.load(at), splat(shrink)))
  }
}

// ---- Probe attention: a task has one latent of one image ----

export function probeAttentionTasks(op: usize): i32 {
  return batch() * latentsOf(op)
}
export function probeAttentionScratchBytes(op: usize): i32 {
  return 2 * up(rowsOf(op, INPUT), 16) * 4
}

export function probeAttention(op: usize, task: i32): void {
  const latents = latentsOf(op)
  const image = task / latents
  const latent = task % latents
  const rows = rowsOf(op, INPUT)
  const width = widthOf(op, INPUT)
  const heads = headsOf(op)
  const headWidth = width / heads
  const share = width / latents
  const map = scratch()
  const scores = map + <usize>(up(rows, 16) * 4)
  const stride = <usize>strideOf(op, INPUT)
  const valueStride = <usize>strideOf(op, SECOND)
  const keys = slotAddress(op, INPUT) + <usize>(image * rows) * stride
  const query = weightAddress(op, WEIGHT) + (<usize>(latent * width) << 2)
  memory.fill(map, 0, <usize>rows << 2)
  for (let h = 0; h < heads; h++) {
    const part = <usize>(h * headWidth) << 2
    for (let n = 0; n < rows; n++) {
      store<f32>(scores + (<usize>n << 2), dot(query + part, keys + <usize>n * stride + part, headWidth) * scaleOf(op))
    }
    softmaxRow(scores, rows)
    for (let n = 0; n < rows; n++) {
      const at = map + (<usize>n << 2)
      store<f32>(at, load<f32>(at) + load<f32>(scores + (<usize>n << 2)) / <f32>heads)
    }
  }
  const values = slotAddress(op, SECOND) + <usize>(image * rowsOf(op, SECOND)) * valueStride + (<usize>(latent * share) << 2)
  const out = slotAddress(op, OUTPUT) + <usize>image * <usize>strideOf(op, OUTPUT) + (<usize>(latent * share) << 2)
  memory.fill(out, 0, <usize>share << 2)
  for (let n = 0; n < rows; n++) {
    const weight = load<f32>(map + (<usize>n << 2))
    const from = values + <usize>n * valueStride
    for (let j = 0; j < share; j++) {
      const at = out + (<usize>j << 2)
      store<f32>(at, load<f32>(at) + weight * load<f32>(from + (<usize>j << 2)))
    }
  }
}

/** Turns scores into weights that sum to 1. What lies up to the next whole vector is written over. */
export function softmaxRow(scores: usize, count: i32): void {
  const end = scores + (<usize>up(count, 4) << 2)
  for (let at = scores + (<usize>count << 2); at < end; at += 4) store<f32>(at, -Infinity)
  let most = v128.load(scores)
  for (let at = scores + 16; at < end; at += 16) most = f32x4.pmax(most, v128.load(at))
  const largest = splat(largestLane(most))
  let total = splat(0)
  for (let at = scores; at < end; at += 16) {
    const weight = exp2(f32x4.mul(f32x4.sub(v128.load(at), largest), splat(LOG2_E)))
    v128.store(at, weight)
    total = f32x4.add(total, weight)
  }
  const sum = splat(sumLanes(total))
  for (let at = scores; at < end; at += 16) v128.store(at, f32x4.div(v128.load(at), sum))
}

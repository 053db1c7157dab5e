// Scales the scores of a query, adds what attention learns of the places of queries and keys, and takes out keys that a query does not see.
import { constantAddress, rowsOf, strideOf } from './context'
import { dot, madd, splat } from './functions'
import {
  COLUMN_TABLE,
  CONSTANT,
  gridColumnsOf,
  gridRowsOf,
  groupsOf,
  INPUT,
  KEY_MASK_CAUSAL,
  keyMaskOf,
  SCORE_BIAS_DECOMPOSED,
  SCORE_BIAS_RELATIVE,
  scaleOf,
  scoreBiasOf,
} from './ops'

// The task under way: what its head's scores change by, and the place of its first query.
let kind: i32 = 0
let causal: bool = false
let scale: f32 = 1
let firstQuery: i32 = 0
let rows: i32 = 0
let columns: i32 = 0
let across: i32 = 0
let special: i32 = 0
let table: usize = 0
let values: usize = 0

/** Counts the floats of the scratch that a task's biases take. */
export function biasFloats(op: usize, queryBlock: i32): i32 {
  return scoreBiasOf(op) == SCORE_BIAS_DECOMPOSED ? queryBlock * (gridRowsOf(op) + gridColumnsOf(op)) : 0
}

/** Is called before the keys pass. `query` is the address of the task's first query, whose place among its group is `first`. */
export function beginChange(op: usize, head: i32, headWidth: i32, first: i32, queries: i32, query: usize, scratch: usize): void {
  kind = scoreBiasOf(op)
  causal = keyMaskOf(op) == KEY_MASK_CAUSAL
  scale = scaleOf(op)
  firstQuery = first
  rows = gridRowsOf(op)
  columns = gridColumnsOf(op)
  across = 2 * columns - 1
  special = rowsOf(op, INPUT) / groupsOf(op) - rows * columns
  values = scratch
  table = constantAddress(op, CONSTANT)
  if (kind == SCORE_BIAS_RELATIVE) table += <usize>(head * ((2 * rows - 1) * across + 3)) << 2
  if (kind != SCORE_BIAS_DECOMPOSED) return
  for (let r = 0; r < queries; r++, query += <usize>strideOf(op, INPUT)) {
    const own = values + (<usize>(r * (rows + columns)) << 2)
    const place = first + r
    products(query, table, place / columns, rows, headWidth, own)
    products(query, constantAddress(op, COLUMN_TABLE), place % columns, columns, headWidth, own + (<usize>rows << 2))
  }
}

/** Multiplies a query with the rows of its offsets to all places of a line. */
function products(query: usize, table: usize, place: i32, places: i32, width: i32, to: usize): void {
  for (let i = 0; i < places; i++) {
    store<f32>(to + (<usize>i << 2), dot(query, table + (<usize>((place - i + places - 1) * width) << 2), width))
  }
}

/** Scales and changes the scores of one query of the task with `keys` keys from `first` on. */
export function changeScores(scores: usize, query: i32, first: i32, keys: i32): void {
  if (kind == SCORE_BIAS_RELATIVE) addRelative(scores, firstQuery + query, first, keys)
  else if (kind == SCORE_BIAS_DECOMPOSED) addDecomposed(scores, values + (<usize>(query * (rows + columns)) << 2), first, keys)
  else scaleAndAdd(scores, keys, 0)
  if (!causal) return
  for (let n = max(0, firstQuery + query + 1 - first); n < keys; n++) store<f32>(scores + (<usize>n << 2), -Infinity)
}

/** Makes value * scale + bias of `count` scores. */
function scaleAndAdd(scores: usize, count: i32, bias: f32): void {
  const vectors = count & ~3
  for (let n = 0; n < vectors; n += 4) {
    const at = scores + (<usize>n << 2)
    v128.store(at, madd(v128.load(at), splat(scale), splat(bias)))
  }
  for (let n = vectors; n < count; n++) {
    const at = scores + (<usize>n << 2)
    store<f32>(at, load<f32>(at) * scale + bias)
  }
}

function addRelative(scores: usize, query: i32, first: i32, keys: i32): void {
  const offsets = table + (<usize>((2 * rows - 1) * across) << 2)
  const specialKeys = min(keys, max(0, special - first))
  if (query < special) {
    scaleAndAdd(scores, specialKeys, load<f32>(offsets, 8))
    scaleAndAdd(scores + (<usize>specialKeys << 2), keys - specialKeys, load<f32>(offsets))
    return
  }
  scaleAndAdd(scores, specialKeys, load<f32>(offsets, 4))
  const place = query - special
  const line = (place / columns + rows - 1) * across + (place % columns) + columns - 1
  for (let n = specialKeys; n < keys; ) {
    const key = first + n - special
    const column = key % columns
    const count = min(columns - column, keys - n)
    addBackwards(scores + (<usize>n << 2), count, table + (<usize>(line - (key / columns) * across - column) << 2))
    n += count
  }
}

/** Adds to the scores of neighbouring keys what lies before `bias`, one after the other: the offset of a query falls as a key's place rises. */
function addBackwards(scores: usize, count: i32, bias: usize): void {
  const vectors = count & ~3
  for (let n = 0; n < vectors; n += 4, bias -= 16) {
    const at = scores + (<usize>n << 2)
    const own = v128.load(bias - 12)
    v128.store(at, madd(v128.load(at), splat(scale), v128.shuffle<f32>(own, own, 3, 2, 1, 0)))
  }
  for (let n = vectors; n < count; n++, bias -= 4) {
    const at = scores + (<usize>n << 2)
    store<f32>(at, load<f32>(at) * scale + load<f32>(bias))
  }
}

function addDecomposed(scores: usize, own: usize, first: i32, keys: i32): void {
  const ofColumns = own + (<usize>rows << 2)
  for (let n = 0; n < keys; ) {
    const key = first + n
    const column = key % columns
    const count = min(columns - column, keys - n)
    addRow(scores + (<usize>n << 2), count, load<f32>(own + (<usize>(key / columns) << 2)), ofColumns + (<usize>column << 2))
    n += count
  }
}

/** Adds to the scores of neighbouring keys of one row of the grid what that row has, and what each column has. */
function addRow(scores: usize, count: i32, ofRow: f32, ofColumns: usize): void {
  const vectors = count & ~3
  for (let n = 0; n < vectors; n += 4) {
    const at = <usize>n << 2
    const bias = f32x4.add(v128.load(ofColumns + at), splat(ofRow))
    v128.store(scores + at, madd(v128.load(scores + at), splat(scale), bias))
  }
  for (let n = vectors; n < count; n++) {
    const at = <usize>n << 2
    store<f32>(scores + at, load<f32>(scores + at) * scale + (ofRow + load<f32>(ofColumns + at)))
  }
}

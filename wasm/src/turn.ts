// Norms queries and keys head by head, and turns them by angles (rotary positions, Su et al. 2021), on their way to attention. A task has a group of rows.
import { batch, constantAddress, rowsOf, slotAddress, strideOf, widthOf } from './context'
import {
  CONSTANT,
  field,
  headsOf,
  INPUT,
  KEY_NORM,
  NORM,
  NORM_KIND_NONE,
  NORM_PART_KIND,
  OUTPUT,
  pairsNeighbours,
  tablesOf,
} from './ops'
import { normGroup, rowsOfTask, rowTasks } from './rows'

export function turnTasks(op: usize): i32 {
  return rowTasks(batch() * rowsOf(op, INPUT), widthOf(op, INPUT))
}
/** Normalises the queries and keys of each head, and turns them by a table of angles (rotary positions). Values stay as they are. */
export function turn(op: usize, task: i32): void {
  const rows = rowsOf(op, INPUT)
  const width = widthOf(op, INPUT) / 3
  const headWidth = width / headsOf(op)
  const part = <usize>width << 2
  const table = constantAddress(op, CONSTANT)
  const tableBytes = <usize>(tablesOf(op) * headWidth) << 3
  const group = rowsOfTask(3 * width)
  const last = min(batch() * rows, (task + 1) * group)
  for (let r = task * group; r < last; r++) {
    const from = slotAddress(op, INPUT) + <usize>r * <usize>strideOf(op, INPUT)
    const to = slotAddress(op, OUTPUT) + <usize>r * <usize>strideOf(op, OUTPUT)
    const own: usize = table == 0 ? 0 : table + <usize>(r % rows) * tableBytes
    turnPart(op, NORM, from, to, headWidth, own)
    turnPart(op, KEY_NORM, from + part, to + part, headWidth, own)
    if (from != to) memory.copy(to + 2 * part, from + 2 * part, part)
  }
}

/** Norms and turns the queries, or the keys, of one row; there is no table where they are not turned. */
function turnPart(op: usize, norm: i32, from: usize, to: usize, headWidth: i32, table: usize): void {
  const heads = headsOf(op)
  const normed = field(op, norm + NORM_PART_KIND) != NORM_KIND_NONE
  const bytes = <usize>headWidth << 2
  const step: usize = tablesOf(op) == 1 ? 0 : 2 * bytes
  for (let h = 0; h < heads; h++, from += bytes, to += bytes) {
    if (normed) normGroup(from, to, headWidth, op, norm)
    const x = normed ? to : from
    if (table == 0) {
      if (x != to) memory.copy(to, x, bytes)
      continue
    }
    const own = table + <usize>h * step
    if (pairsNeighbours(op)) turnNeighbours(x, to, own, headWidth)
    else turnHalves(x, to, own, headWidth)
  }
}

// Heads need not end at a vector's edge, and the next head may not be written: the last pairs go one by one.
function turnHalves(x: usize, out: usize, cosine: usize, width: i32): void {
  const half = <usize>(width >> 1) << 2
  const sine = cosine + 2 * half
  const vectors = half & ~15
  for (let at: usize = 0; at < vectors; at += 16) {
    const a = v128.load(x + at)
    const b = v128.load(x + half + at)
    v128.store(out + at, f32x4.sub(f32x4.mul(a, v128.load(cosine + at)), f32x4.mul(b, v128.load(sine + at))))
    v128.store(out + half + at, f32x4.add(f32x4.mul(b, v128.load(cosine + half + at)), f32x4.mul(a, v128.load(sine + half + at))))
  }
  for (let at = vectors; at < half; at += 4) turnPair(x, out, cosine, sine, at, half + at)
}

function turnNeighbours(x: usize, out: usize, cosine: usize, width: i32): void {
  const bytes = <usize>width << 2
  const sine = cosine + bytes
  const vectors = bytes & ~15
  // The first of a pair takes its partner with the other sign.
  const signs = f32x4(-1, 1, -1, 1)
  for (let at: usize = 0; at < vectors; at += 16) {
    const v = v128.load(x + at)
    const partner = f32x4.mul(v128.shuffle<f32>(v, v, 1, 0, 3, 2), signs)
    v128.store(out + at, f32x4.add(f32x4.mul(v, v128.load(cosine + at)), f32x4.mul(partner, v128.load(sine + at))))
  }
  for (let at = vectors; at < bytes; at += 8) turnPair(x, out, cosine, sine, at, at + 4)
}

/** Turns one pair: what stands first takes minus the second for its partner. `first` and `second` count bytes. */
// @ts-ignore: decorator
@inline function turnPair(x: usize, out: usize, cosine: usize, sine: usize, first: usize, second: usize): void {
  const a = load<f32>(x + first)
  const b = load<f32>(x + second)
  store<f32>(out + first, a * load<f32>(cosine + first) - b * load<f32>(sine + first))
  store<f32>(out + second, b * load<f32>(cosine + second) + a * load<f32>(sine + second))
}

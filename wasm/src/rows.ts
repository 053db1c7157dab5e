// Everything that works row by row: copies, patches, tokens, norms, element-wise steps, means. A group of rows to a task.
import {
  activationOf,
  BIAS,
  batch,
  COMBINE_ADD,
  COMBINE_GATE,
  combineOf,
  constantAddress,
  field,
  GAMMA,
  headsOf,
  IN,
  KEY_NORM,
  NORM,
  NUMBERS,
  OUT,
  output,
  pixels,
  realField,
  rowsOf,
  SECOND,
  slotAddress,
  strideOf,
  temporaryAddress,
  WEIGHT,
  weightAddress,
  widthOf,
} from './context'
import { activate, madd, splat, sumLanes } from './functions'

/** Floats that are worth handing out. */
const FLOATS_OF_TASK: i32 = 16384

// @ts-ignore: decorator
@inline export function rowsOfTask(width: i32): i32 {
  return max(1, FLOATS_OF_TASK / max(1, width))
}
export function rowTasks(rows: i32, width: i32): i32 {
  const group = rowsOfTask(width)
  return (rows + group - 1) / group
}

function copyRows(from: usize, fromStride: usize, to: usize, toStride: usize, rows: i32, width: i32, task: i32): void {
  const group = rowsOfTask(width)
  const last = min(rows, (task + 1) * group)
  for (let r = task * group; r < last; r++) {
    memory.copy(to + <usize>r * toStride, from + <usize>r * fromStride, <usize>width << 2)
  }
}

export function copyIn(op: usize, task: i32): void {
  const width = widthOf(op, OUT)
  copyRows(pixels(), <usize>width << 2, slotAddress(op, OUT), strideOf(op, OUT), batch() * rowsOf(op, OUT), width, task)
}

export function copyOut(op: usize, task: i32): void {
  const width = widthOf(op, IN)
  const bytes = <usize>width << 2
  const stride = strideOf(op, IN)
  // The input itself has no place in the arena: its stride is 0.
  const from = stride == 0 ? pixels() : slotAddress(op, IN)
  copyRows(from, stride == 0 ? bytes : stride, output(field(op, NUMBERS)), bytes, batch() * rowsOf(op, IN), width, task)
}

/** One row of patches of one image. */
export function patchify(op: usize, task: i32, planes: bool): void {
  const channels = field(op, NUMBERS)
  const height = field(op, NUMBERS + 1)
  const width = field(op, NUMBERS + 2)
  const patch = field(op, NUMBERS + 3)
  const down = height / patch
  const across = width / patch
  const image = task / down
  const row = task % down
  const stride = <usize>strideOf(op, IN)
  const from = planes ? pixels() + (<usize>(image * channels * height * width) << 2) : slotAddress(op, IN) + <usize>(image * height * width) * stride
  const outStride = <usize>strideOf(op, OUT)
  for (let column = 0; column < across; column++) {
    let out = slotAddress(op, OUT) + <usize>(task * across + column) * outStride
    for (let c = 0; c < channels; c++) {
      for (let y = row * patch; y < (row + 1) * patch; y++) {
        const pixel = y * width + column * patch
        if (planes) {
          memory.copy(out, from + (<usize>(c * height * width + pixel) << 2), <usize>patch << 2)
          out += <usize>patch << 2
        } else {
          let at = from + <usize>pixel * stride + (<usize>c << 2)
          for (let x = 0; x < patch; x++, at += stride, out += 4) store<f32>(out, load<f32>(at))
        }
      }
    }
  }
}

export function assembleTokens(op: usize, task: i32): void {
  const classToken = weightAddress(op, WEIGHT)
  const registers = weightAddress(op, GAMMA)
  const positions = constantAddress(op, BIAS)
  const head = classToken == 0 ? 0 : 1
  const width = widthOf(op, OUT)
  const bytes = <usize>width << 2
  const inRows = rowsOf(op, IN)
  const outRows = rowsOf(op, OUT)
  const special = outRows - inRows
  const group = rowsOfTask(width)
  const last = min(batch() * outRows, (task + 1) * group)
  for (let r = task * group; r < last; r++) {
    const row = r % outRows
    const to = slotAddress(op, OUT) + <usize>r * <usize>strideOf(op, OUT)
    if (row < special) {
      memory.copy(to, row < head ? classToken : registers + <usize>(row - head) * bytes, bytes)
      continue
    }
    const from = slotAddress(op, IN) + <usize>((r / outRows) * inRows + row - special) * <usize>strideOf(op, IN)
    if (positions == 0) {
      memory.copy(to, from, bytes)
      continue
    }
    const position = positions + <usize>(row - special) * bytes
    for (let c: usize = 0; c < bytes; c += 4) store<f32>(to + c, load<f32>(from + c) + load<f32>(position + c))
  }
}

// ---- Norms ----

// Groups need not end at a vector's edge, and the next group may not be written: the last lanes go one by one.
function normGroup(x: usize, out: usize, width: i32, op: usize, norm: i32): void {
  const weight = weightAddress(op, norm + 1)
  const bias = weightAddress(op, norm + 2)
  const whole = width & ~3
  const count = <f32>width
  let mean: f32 = 0
  if (field(op, norm) == 1) {
    let total = splat(0)
    for (let c = 0; c < whole; c += 4) total = f32x4.add(total, v128.load(x + (<usize>c << 2)))
    let rest: f32 = 0
    for (let c = whole; c < width; c++) rest += load<f32>(x + (<usize>c << 2))
    mean = (sumLanes(total) + rest) / count
  }
  const centre = splat(mean)
  let squares = splat(0)
  for (let c = 0; c < whole; c += 4) {
    const d = f32x4.sub(v128.load(x + (<usize>c << 2)), centre)
    squares = madd(d, d, squares)
  }
  let rest: f32 = 0
  for (let c = whole; c < width; c++) {
    const d = load<f32>(x + (<usize>c << 2)) - mean
    rest += d * d
  }
  const scale: f32 = 1 / sqrt<f32>((sumLanes(squares) + rest) / count + realField(op, norm + 3))
  for (let c = 0; c < whole; c += 4) {
    const at = <usize>c << 2
    const v = f32x4.mul(f32x4.mul(f32x4.sub(v128.load(x + at), centre), splat(scale)), v128.load(weight + at))
    v128.store(out + at, bias == 0 ? v : f32x4.add(v, v128.load(bias + at)))
  }
  for (let c = whole; c < width; c++) {
    const at = <usize>c << 2
    store<f32>(out + at, (load<f32>(x + at) - mean) * scale * load<f32>(weight + at) + (bias == 0 ? 0 : load<f32>(bias + at)))
  }
}

export function norm(op: usize, task: i32): void {
  const width = widthOf(op, IN)
  const group = rowsOfTask(width)
  const last = min(batch() * rowsOf(op, IN), (task + 1) * group)
  for (let r = task * group; r < last; r++) {
    normGroup(slotAddress(op, IN) + <usize>r * <usize>strideOf(op, IN), slotAddress(op, OUT) + <usize>r * <usize>strideOf(op, OUT), width, op, NORM)
  }
}

/** Queries and keys of all heads, each head on its own, side by side into the temporary slot. */
export function normQueriesAndKeys(op: usize, task: i32): void {
  const width = widthOf(op, OUT)
  const heads = headsOf(op)
  const headWidth = width / heads
  const stride = <usize>field(op, NUMBERS + 3) << 2
  const group = rowsOfTask(2 * width)
  const last = min(batch() * rowsOf(op, IN), (task + 1) * group)
  for (let r = task * group; r < last; r++) {
    for (let part = 0; part < 2; part++) {
      const at = <usize>(part * width) << 2
      const from = slotAddress(op, IN) + <usize>r * <usize>strideOf(op, IN) + at
      const to = temporaryAddress(op) + <usize>r * stride + at
      const norm = part == 0 ? NORM : KEY_NORM
      if (field(op, norm) == 0) {
        memory.copy(to, from, <usize>width << 2)
        continue
      }
      for (let head = 0; head < heads; head++) {
        const place = <usize>(head * headWidth) << 2
        normGroup(from + place, to + place, headWidth, op, norm)
      }
    }
  }
}

// ---- The rest ----

export function elementwise(op: usize, task: i32): void {
  const width = widthOf(op, IN)
  const kind = activationOf(op)
  const combine = combineOf(op)
  const gamma = weightAddress(op, GAMMA)
  const group = rowsOfTask(width)
  const last = min(batch() * rowsOf(op, IN), (task + 1) * group)
  for (let r = task * group; r < last; r++) {
    const from = slotAddress(op, IN) + <usize>r * <usize>strideOf(op, IN)
    const other = combine == 0 ? from : slotAddress(op, SECOND) + <usize>r * <usize>strideOf(op, SECOND)
    const to = slotAddress(op, OUT) + <usize>r * <usize>strideOf(op, OUT)
    for (let c = 0; c < width; c += 4) {
      const at = <usize>c << 2
      let v = v128.load(from + at)
      if (combine == COMBINE_GATE) {
        v = f32x4.mul(activate(kind, v128.load(other + at)), v)
      } else {
        v = activate(kind, v)
        if (gamma != 0) v = f32x4.mul(v, v128.load(gamma + at))
        if (combine == COMBINE_ADD) v = f32x4.add(v, v128.load(other + at))
      }
      v128.store(to + at, v)
    }
  }
}

export function sliceRows(op: usize, task: i32): void {
  const width = widthOf(op, OUT)
  const outRows = rowsOf(op, OUT)
  const group = rowsOfTask(width)
  const last = min(batch() * outRows, (task + 1) * group)
  for (let r = task * group; r < last; r++) {
    const row = (r / outRows) * rowsOf(op, IN) + (r % outRows) + field(op, NUMBERS)
    memory.copy(slotAddress(op, OUT) + <usize>r * <usize>strideOf(op, OUT), slotAddress(op, IN) + <usize>row * <usize>strideOf(op, IN), <usize>width << 2)
  }
}

/** 16 columns of one image. Blocks of 32 rows are summed on their own first, so that rounding grows slowly with the number of rows. */
export function meanRows(op: usize, task: i32): void {
  const width = widthOf(op, IN)
  const parts = (width + 15) >> 4
  const rows = rowsOf(op, IN)
  const stride = <usize>strideOf(op, IN)
  const image = task / parts
  const from = slotAddress(op, IN) + <usize>(image * rows) * stride
  const to = slotAddress(op, OUT) + <usize>image * <usize>strideOf(op, OUT)
  const first = <usize>((task % parts) << 6)
  for (let at = first; at < first + 64; at += 16) {
    let total = splat(0)
    for (let r = 0; r < rows; r += 32) {
      let part = splat(0)
      for (let i = r; i < min(r + 32, rows); i++) part = f32x4.add(part, v128.load(from + <usize>i * stride + at))
      total = f32x4.add(total, part)
    }
    v128.store(to + at, f32x4.div(total, splat(<f32>rows)))
  }
}

/** The weight's rows for one image. */
export function broadcast(op: usize, task: i32): void {
  const rows = rowsOf(op, OUT)
  const bytes = <usize>widthOf(op, OUT) << 2
  const stride = <usize>strideOf(op, OUT)
  const to = slotAddress(op, OUT) + <usize>(task * rows) * stride
  for (let r = 0; r < rows; r++) memory.copy(to + <usize>r * stride, weightAddress(op, WEIGHT) + <usize>r * bytes, bytes)
}

/**
 * Rows in the order [image][group][row] become [group][image][row], or the other way round: a group's rows of all images then lie
 * together, as one product wants them.
 */
export function regroup(op: usize, task: i32): void {
  const groups = field(op, NUMBERS)
  const rows = rowsOf(op, IN) / groups
  const back = field(op, NUMBERS + 1) == 1
  const byImage = task * rows
  const byGroup = ((task % groups) * batch() + task / groups) * rows
  const inStride = <usize>strideOf(op, IN)
  const outStride = <usize>strideOf(op, OUT)
  for (let r = 0; r < rows; r++) {
    memory.copy(
      slotAddress(op, OUT) + <usize>((back ? byImage : byGroup) + r) * outStride,
      slotAddress(op, IN) + <usize>((back ? byGroup : byImage) + r) * inStride,
      <usize>widthOf(op, IN) << 2,
    )
  }
}

// Does everything that works row by row: copies, patches, tokens, norms, element-wise steps, means. A task has a group of rows.
import {
  batch,
  constantAddress,
  output,
  pixels,
  rowsOf,
  slotAddress,
  strideOf,
  weightAddress,
  widthOf,
} from './context'
import { activate, madd, splat, sumLanes } from './functions'
import {
  activationOf,
  channelsOf,
  COMBINE_ADD,
  COMBINE_GATE,
  COMBINE_NONE,
  combineOf,
  CONSTANT,
  field,
  firstRowOf,
  GAMMA,
  groupsOf,
  INPUT,
  inputAtOf,
  inputLengthOf,
  isBack,
  NORM,
  NORM_KIND_LAYER_NORM,
  NORM_PART_BIAS,
  NORM_PART_EPSILON,
  NORM_PART_KIND,
  NORM_PART_WEIGHT,
  OUTPUT,
  outputIndexOf,
  patchSizeOf,
  patchStrideOf,
  planeHeightOf,
  planeWidthOf,
  realField,
  SECOND,
  WEIGHT,
} from './ops'

/** A task has so many floats: fewer are not worth handing out. */
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

export function copyInTasks(op: usize): i32 {
  return rowTasks(batch() * rowsOf(op, OUTPUT), widthOf(op, OUTPUT))
}
export function copyIn(op: usize, task: i32): void {
  const width = widthOf(op, OUTPUT)
  const rows = rowsOf(op, OUTPUT)
  const group = rowsOfTask(width)
  const last = min(batch() * rows, (task + 1) * group)
  for (let r = task * group; r < last; r++) {
    const from = given(op, r / rows) + (<usize>((r % rows) * width) << 2)
    memory.copy(slotAddress(op, OUTPUT) + <usize>r * <usize>strideOf(op, OUTPUT), from, <usize>width << 2)
  }
}
/** Says where what a run is given of an image begins that an operation reads. */
function given(op: usize, image: i32): usize {
  return pixels() + ((<usize>image * <usize>inputLengthOf(op) + <usize>inputAtOf(op)) << 2)
}

export function copyOutTasks(op: usize): i32 {
  return rowTasks(batch() * rowsOf(op, INPUT), widthOf(op, INPUT))
}
export function copyOut(op: usize, task: i32): void {
  const width = widthOf(op, INPUT)
  const bytes = <usize>width << 2
  const stride = strideOf(op, INPUT)
  // An input itself has no place in the arena: its stride is 0.
  const from = stride == 0 ? given(op, 0) : slotAddress(op, INPUT)
  const fromStride = stride == 0 ? <usize>inputLengthOf(op) << 2 : <usize>stride
  copyRows(from, fromStride, output(outputIndexOf(op)), bytes, batch() * rowsOf(op, INPUT), width, task)
}

/** Counts the patches along a side of an image, which is no smaller than one. */
function placesOf(side: i32, op: usize): i32 {
  return 1 + (side - patchSizeOf(op)) / patchStrideOf(op)
}
function patchifyTasks(op: usize): i32 {
  return batch() * placesOf(planeHeightOf(op), op)
}
export function patchifyPlanesTasks(op: usize): i32 {
  return patchifyTasks(op)
}
export function patchifyPlanes(op: usize, task: i32): void {
  patchify(op, task, true)
}
export function patchifyRowsTasks(op: usize): i32 {
  return patchifyTasks(op)
}
export function patchifyRows(op: usize, task: i32): void {
  patchify(op, task, false)
}

/** A task has one row of patches of one image. */
function patchify(op: usize, task: i32, planes: bool): void {
  const channels = channelsOf(op)
  const height = planeHeightOf(op)
  const width = planeWidthOf(op)
  const patch = patchSizeOf(op)
  const down = placesOf(height, op)
  const across = placesOf(width, op)
  const image = task / down
  const top = (task % down) * patchStrideOf(op)
  const stride = <usize>strideOf(op, INPUT)
  const from = planes ? given(op, image) : slotAddress(op, INPUT) + <usize>(image * height * width) * stride
  const outStride = <usize>strideOf(op, OUTPUT)
  for (let column = 0; column < across; column++) {
    let out = slotAddress(op, OUTPUT) + <usize>(task * across + column) * outStride
    for (let c = 0; c < channels; c++) {
      for (let y = top; y < top + patch; y++) {
        const pixel = y * width + column * patchStrideOf(op)
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

export function assembleTokensTasks(op: usize): i32 {
  return rowTasks(batch() * rowsOf(op, OUTPUT), widthOf(op, OUTPUT))
}
export function assembleTokens(op: usize, task: i32): void {
  const classToken = weightAddress(op, WEIGHT)
  const registers = weightAddress(op, GAMMA)
  const positions = constantAddress(op, CONSTANT)
  const head = classToken == 0 ? 0 : 1
  const width = widthOf(op, OUTPUT)
  const bytes = <usize>width << 2
  const inRows = rowsOf(op, INPUT)
  const outRows = rowsOf(op, OUTPUT)
  const special = outRows - inRows
  const group = rowsOfTask(width)
  const last = min(batch() * outRows, (task + 1) * group)
  for (let r = task * group; r < last; r++) {
    const row = r % outRows
    const to = slotAddress(op, OUTPUT) + <usize>r * <usize>strideOf(op, OUTPUT)
    if (row < special) {
      memory.copy(to, row < head ? classToken : registers + <usize>(row - head) * bytes, bytes)
      continue
    }
    const from = slotAddress(op, INPUT) + <usize>((r / outRows) * inRows + row - special) * <usize>strideOf(op, INPUT)
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
export function normGroup(x: usize, out: usize, width: i32, op: usize, norm: i32): void {
  const weight = weightAddress(op, norm + NORM_PART_WEIGHT)
  const bias = weightAddress(op, norm + NORM_PART_BIAS)
  const whole = width & ~3
  const count = <f32>width
  let mean: f32 = 0
  if (field(op, norm + NORM_PART_KIND) == NORM_KIND_LAYER_NORM) {
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
  const scale: f32 = 1 / sqrt<f32>((sumLanes(squares) + rest) / count + realField(op, norm + NORM_PART_EPSILON))
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

export function normTasks(op: usize): i32 {
  return rowTasks(batch() * rowsOf(op, INPUT), widthOf(op, INPUT))
}
export function norm(op: usize, task: i32): void {
  const width = widthOf(op, INPUT)
  const group = rowsOfTask(width)
  const last = min(batch() * rowsOf(op, INPUT), (task + 1) * group)
  for (let r = task * group; r < last; r++) {
    normGroup(slotAddress(op, INPUT) + <usize>r * <usize>strideOf(op, INPUT), slotAddress(op, OUTPUT) + <usize>r * <usize>strideOf(op, OUTPUT), width, op, NORM)
  }
}

// ---- The rest ----

export function elementwiseTasks(op: usize): i32 {
  return rowTasks(batch() * rowsOf(op, INPUT), widthOf(op, INPUT))
}
export function elementwise(op: usize, task: i32): void {
  const width = widthOf(op, INPUT)
  const kind = activationOf(op)
  const combine = combineOf(op)
  const gamma = weightAddress(op, GAMMA)
  const group = rowsOfTask(width)
  const last = min(batch() * rowsOf(op, INPUT), (task + 1) * group)
  for (let r = task * group; r < last; r++) {
    const from = slotAddress(op, INPUT) + <usize>r * <usize>strideOf(op, INPUT)
    const other = combine == COMBINE_NONE ? from : slotAddress(op, SECOND) + <usize>r * <usize>strideOf(op, SECOND)
    const to = slotAddress(op, OUTPUT) + <usize>r * <usize>strideOf(op, OUTPUT)
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

export function sliceRowsTasks(op: usize): i32 {
  return rowTasks(batch() * rowsOf(op, OUTPUT), widthOf(op, OUTPUT))
}
export function sliceRows(op: usize, task: i32): void {
  const width = widthOf(op, OUTPUT)
  const outRows = rowsOf(op, OUTPUT)
  const group = rowsOfTask(width)
  const last = min(batch() * outRows, (task + 1) * group)
  for (let r = task * group; r < last; r++) {
    const row = (r / outRows) * rowsOf(op, INPUT) + (r % outRows) + firstRowOf(op)
    memory.copy(slotAddress(op, OUTPUT) + <usize>r * <usize>strideOf(op, OUTPUT), slotAddress(op, INPUT) + <usize>row * <usize>strideOf(op, INPUT), <usize>width << 2)
  }
}

export function gatherRowsTasks(op: usize): i32 {
  return rowTasks(batch() * rowsOf(op, OUTPUT), widthOf(op, OUTPUT))
}
export function gatherRows(op: usize, task: i32): void {
  const width = widthOf(op, OUTPUT)
  const bytes = <usize>width << 2
  const outRows = rowsOf(op, OUTPUT)
  const index = constantAddress(op, CONSTANT)
  const group = rowsOfTask(width)
  const last = min(batch() * outRows, (task + 1) * group)
  for (let r = task * group; r < last; r++) {
    const from = <i32>load<f32>(index + (<usize>(r % outRows) << 2))
    const to = slotAddress(op, OUTPUT) + <usize>r * <usize>strideOf(op, OUTPUT)
    const row = (r / outRows) * rowsOf(op, INPUT) + from
    if (from < 0) memory.fill(to, 0, bytes)
    else memory.copy(to, slotAddress(op, INPUT) + <usize>row * <usize>strideOf(op, INPUT), bytes)
  }
}

export function meanRowsTasks(op: usize): i32 {
  return batch() * rowsOf(op, OUTPUT) * ((widthOf(op, INPUT) + 15) >> 4)
}
/** A task has 16 columns of one group of rows. Blocks of 32 rows are summed on their own first, so that rounding grows slowly with the number of rows. */
export function meanRows(op: usize, task: i32): void {
  const width = widthOf(op, INPUT)
  const parts = (width + 15) >> 4
  const rows = rowsOf(op, INPUT) / rowsOf(op, OUTPUT)
  const stride = <usize>strideOf(op, INPUT)
  const own = task / parts
  const from = slotAddress(op, INPUT) + <usize>(own * rows) * stride
  const to = slotAddress(op, OUTPUT) + <usize>own * <usize>strideOf(op, OUTPUT)
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

export function maxRowsTasks(op: usize): i32 {
  return meanRowsTasks(op)
}
/** Takes 16 columns of one image. A NaN stays, as the instruction keeps it. */
export function maxRows(op: usize, task: i32): void {
  const parts = (widthOf(op, INPUT) + 15) >> 4
  const rows = rowsOf(op, INPUT)
  const stride = <usize>strideOf(op, INPUT)
  const image = task / parts
  const from = slotAddress(op, INPUT) + <usize>(image * rows) * stride
  const to = slotAddress(op, OUTPUT) + <usize>image * <usize>strideOf(op, OUTPUT)
  const first = <usize>((task % parts) << 6)
  for (let at = first; at < first + 64; at += 16) {
    let largest = v128.load(from + at)
    for (let r = 1; r < rows; r++) largest = f32x4.max(largest, v128.load(from + <usize>r * stride + at))
    v128.store(to + at, largest)
  }
}

export function broadcastTasks(op: usize): i32 {
  return batch()
}
/** Puts the rows of a weight, or of a constant, into the slot of one image. */
export function broadcast(op: usize, task: i32): void {
  const rows = rowsOf(op, OUTPUT)
  const bytes = <usize>widthOf(op, OUTPUT) << 2
  const stride = <usize>strideOf(op, OUTPUT)
  const to = slotAddress(op, OUTPUT) + <usize>(task * rows) * stride
  const constant = constantAddress(op, CONSTANT)
  const from = constant == 0 ? weightAddress(op, WEIGHT) : constant
  for (let r = 0; r < rows; r++) memory.copy(to + <usize>r * stride, from + <usize>r * bytes, bytes)
}

export function regroupTasks(op: usize): i32 {
  return batch() * groupsOf(op)
}
/**
 * Rows in the order [image][group][row] become [group][image][row], or the other way round: a group's rows of all images then lie
 * together, as one product wants them.
 */
export function regroup(op: usize, task: i32): void {
  const groups = groupsOf(op)
  const rows = rowsOf(op, INPUT) / groups
  const back = isBack(op)
  const byImage = task * rows
  const byGroup = ((task % groups) * batch() + task / groups) * rows
  const inStride = <usize>strideOf(op, INPUT)
  const outStride = <usize>strideOf(op, OUTPUT)
  for (let r = 0; r < rows; r++) {
    memory.copy(
      slotAddress(op, OUTPUT) + <usize>((back ? byImage : byGroup) + r) * outStride,
      slotAddress(op, INPUT) + <usize>((back ? byGroup : byImage) + r) * inStride,
      <usize>widthOf(op, INPUT) << 2,
    )
  }
}

export function convertTasks(_op: usize): i32 {
  return 0
}
/** Rows are float32 in every precision here, so that nothing is lowered to this. */
export function convert(_op: usize, _task: i32): void {
  unreachable()
}

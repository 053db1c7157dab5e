// Does what is done to pictures that have a pixel to a row, and takes the row of an id. Convolutions are products, which product.ts makes of the patches
// that are laid out here.
import { batch, constantAddress, rowsOf, scratch, slotAddress, strideOf, weightAddress, widthOf } from './context'
import { madd, splat } from './functions'
import {
  BIAS,
  COLUMN_TABLE,
  CONSTANT,
  gridColumnsOf,
  idOf,
  INPUT,
  OUTPUT,
  paddingOf,
  patchSizeOf,
  patchStrideOf,
  planeHeightOf,
  planeWidthOf,
  SECOND,
  takesLargest,
  tapsOf,
} from './ops'
import { rowsOfTask, rowTasks } from './rows'

/** Counts the places of a kernel along a side of its picture. */
function placesOf(side: i32, op: usize): i32 {
  return 1 + (side + 2 * paddingOf(op) - patchSizeOf(op)) / patchStrideOf(op)
}

/** Writes the pixels under the place of the kernel that is row `r` of the output of all images one behind the other, and zeros for those outside the picture. */
export function layOutPatch(op: usize, r: i32, out: usize): void {
  const height = planeHeightOf(op)
  const width = planeWidthOf(op)
  const kernel = patchSizeOf(op)
  const across = placesOf(width, op)
  const place = r % rowsOf(op, OUTPUT)
  const stride = <usize>strideOf(op, INPUT)
  const picture = slotAddress(op, INPUT) + <usize>((r / rowsOf(op, OUTPUT)) * rowsOf(op, INPUT)) * stride
  const top = (place / across) * patchStrideOf(op) - paddingOf(op)
  const left = (place % across) * patchStrideOf(op) - paddingOf(op)
  const bytes = <usize>widthOf(op, INPUT) << 2
  for (let y = top; y < top + kernel; y++) {
    for (let x = left; x < left + kernel; x++, out += bytes) {
      if (y < 0 || y >= height || x < 0 || x >= width) memory.fill(out, 0, bytes)
      else memory.copy(out, picture + <usize>(y * width + x) * stride, bytes)
    }
  }
}

export function foldPatchesTasks(op: usize): i32 {
  return rowTasks(batch() * rowsOf(op, OUTPUT), widthOf(op, OUTPUT))
}
/** Each pixel adds up what lies on it, so that no two threads write one. */
export function foldPatches(op: usize, task: i32): void {
  const channels = widthOf(op, OUTPUT)
  const bytes = <usize>channels << 2
  const pixels = rowsOf(op, OUTPUT)
  const kernel = patchSizeOf(op)
  const stride = patchStrideOf(op)
  const down = placesOf(planeHeightOf(op), op)
  const across = placesOf(planeWidthOf(op), op)
  const bias = weightAddress(op, BIAS)
  const inStride = <usize>strideOf(op, INPUT)
  const group = rowsOfTask(channels)
  const last = min(batch() * pixels, (task + 1) * group)
  for (let r = task * group; r < last; r++) {
    const patches = slotAddress(op, INPUT) + <usize>((r / pixels) * rowsOf(op, INPUT)) * inStride
    const y = (r % pixels) / planeWidthOf(op) + paddingOf(op)
    const x = (r % pixels) % planeWidthOf(op) + paddingOf(op)
    const to = slotAddress(op, OUTPUT) + <usize>r * <usize>strideOf(op, OUTPUT)
    if (bias == 0) memory.fill(to, 0, bytes)
    else memory.copy(to, bias, bytes)
    for (let row = min(y / stride, down - 1); row >= 0 && y - row * stride < kernel; row--) {
      for (let column = min(x / stride, across - 1); column >= 0 && x - column * stride < kernel; column--) {
        const within = (y - row * stride) * kernel + x - column * stride
        const from = patches + <usize>(row * across + column) * inStride + <usize>within * bytes
        for (let c: usize = 0; c < bytes; c += 4) store<f32>(to + c, load<f32>(to + c) + load<f32>(from + c))
      }
    }
  }
}

export function resizeTasks(op: usize): i32 {
  return batch() * (rowsOf(op, OUTPUT) / gridColumnsOf(op))
}
/** A thread keeps a row of the old picture. */
export function resizeScratchBytes(op: usize): i32 {
  return planeWidthOf(op) * strideOf(op, INPUT)
}
/** A task has a row of pixels: rows of the old picture are added up first, then columns of their sum. */
export function resize(op: usize, task: i32): void {
  const across = gridColumnsOf(op)
  const down = rowsOf(op, OUTPUT) / across
  const taps = tapsOf(op)
  const width = planeWidthOf(op)
  const stride = strideOf(op, INPUT)
  const picture = slotAddress(op, INPUT) + <usize>((task / down) * rowsOf(op, INPUT)) * <usize>stride
  const vertical = constantAddress(op, CONSTANT) + (<usize>((task % down) * 2 * taps) << 2)
  const sums = scratch()
  const rowBytes = <usize>width * <usize>stride
  memory.fill(sums, 0, rowBytes)
  for (let i = 0; i < taps; i++) {
    const row = <i32>load<f32>(vertical + (<usize>i << 2))
    addScaled(picture + <usize>row * rowBytes, load<f32>(vertical + (<usize>(taps + i) << 2)), rowBytes, sums)
  }
  const outStride = <usize>strideOf(op, OUTPUT)
  let out = slotAddress(op, OUTPUT) + <usize>(task * across) * outStride
  for (let x = 0; x < across; x++, out += outStride) {
    const horizontal = constantAddress(op, COLUMN_TABLE) + (<usize>(x * 2 * taps) << 2)
    memory.fill(out, 0, outStride)
    for (let i = 0; i < taps; i++) {
      const column = <i32>load<f32>(horizontal + (<usize>i << 2))
      addScaled(sums + <usize>column * <usize>stride, load<f32>(horizontal + (<usize>(taps + i) << 2)), outStride, out)
    }
  }
}
/** Whole vectors are added: strides are whole lines. */
function addScaled(from: usize, scale: f32, bytes: usize, to: usize): void {
  const factor = splat(scale)
  for (let at: usize = 0; at < bytes; at += 16) v128.store(to + at, madd(v128.load(from + at), factor, v128.load(to + at)))
}

export function takeRowTasks(op: usize): i32 {
  return batch()
}
/** Takes the row of one image that its ids say. */
export function takeRow(op: usize, task: i32): void {
  const rows = rowsOf(op, INPUT)
  const stride = <usize>strideOf(op, SECOND)
  const ids = slotAddress(op, SECOND) + <usize>(task * rows) * stride
  let found = 0
  if (takesLargest(op)) {
    for (let r = 1; r < rows; r++) {
      if (load<f32>(ids + <usize>r * stride) > load<f32>(ids + <usize>found * stride)) found = r
    }
  } else {
    const id = <f32>idOf(op)
    while (found < rows && load<f32>(ids + <usize>found * stride) != id) found++
    if (found == rows) found = 0
  }
  const from = slotAddress(op, INPUT) + <usize>(task * rows + found) * <usize>strideOf(op, INPUT)
  memory.copy(slotAddress(op, OUTPUT) + <usize>task * <usize>strideOf(op, OUTPUT), from, <usize>widthOf(op, OUTPUT) << 2)
}

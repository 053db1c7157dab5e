// Holds what threads share: a block of numbers at the start of the memory, and the operation that they work on.
import { field, PACKED_PART_PRECISION, SLOT_PART_ROWS, SLOT_PART_STRIDE, SLOT_PART_WIDTH, WEIGHT } from './ops'

// These are byte addresses of 32-bit numbers. What threads count together has a cache line of its own.
export const GENERATION: usize = 64
export const NEXT_TASK: usize = 128
export const WORKING: usize = 192
// The leader writes these before the generation changes.
const JOB: usize = 320
export const OP: usize = JOB
export const TASKS: usize = JOB + 4
export const BATCH: usize = JOB + 8
const WEIGHTS: usize = JOB + 12
const ARENA: usize = JOB + 16
const CONSTANTS: usize = JOB + 20
const SCRATCH: usize = JOB + 24
const SCRATCH_BYTES: usize = JOB + 28
const PIXELS: usize = JOB + 32
const OUTPUTS: usize = JOB + 36
export const THREADS: usize = JOB + 40
/** Lies behind what `setJob` is given; packed.ts says what it holds. */
export const INTEGERS: usize = JOB + 48

/** Is the first row of the block of rows that a product is at. The leader writes it. */
export const FIRST_ROW: usize = JOB + 52

/** Takes addresses in bytes; `outputs` is that of a table of addresses. */
export function setJob(
  batch: i32,
  weights: usize,
  arena: usize,
  constants: usize,
  scratch: usize,
  scratchBytes: i32,
  pixels: usize,
  outputs: usize,
  threads: i32,
): void {
  store<i32>(BATCH, batch)
  store<usize>(WEIGHTS, weights)
  store<usize>(ARENA, arena)
  store<usize>(CONSTANTS, constants)
  store<usize>(SCRATCH, scratch)
  store<i32>(SCRATCH_BYTES, scratchBytes)
  store<usize>(PIXELS, pixels)
  store<usize>(OUTPUTS, outputs)
  store<i32>(THREADS, threads)
}

// @ts-ignore: decorator
@inline export function batch(): i32 {
  return load<i32>(BATCH)
}
// @ts-ignore: decorator
@inline export function pixels(): usize {
  return load<usize>(PIXELS)
}
export function output(index: i32): usize {
  return load<usize>(load<usize>(OUTPUTS) + (<usize>index << 2))
}

/** Each thread has an instance of this module, and its own globals with it: the memory alone is shared. The leader is number 0. */
let ownThread: i32 = 0
export function setThread(thread: i32): void {
  ownThread = thread
}
function scratchOf(thread: i32): usize {
  return load<usize>(SCRATCH) + <usize>thread * <usize>load<i32>(SCRATCH_BYTES)
}
/** Says where this thread keeps what no other one sees. */
export function scratch(): usize {
  return scratchOf(ownThread)
}
/** Says where all threads read and write: behind what each has for itself. */
export function sharedScratch(): usize {
  return scratchOf(load<i32>(THREADS))
}

// ---- An operation: the numbers that lowered/lowered-op.ts writes; ops.ts says where each lies ----

// @ts-ignore: decorator
@inline export function weightPrecisionOf(op: usize): i32 {
  return field(op, WEIGHT + PACKED_PART_PRECISION)
}

// These give a slot's address for the batch, the rows of one image, the width, and the bytes from row to row: 0 for a slot that is not there.
export function slotAddress(op: usize, slot: i32): usize {
  return load<usize>(ARENA) + (<usize>load<f64>(op + (<usize>slot << 3)) << 2) * <usize>batch()
}
// @ts-ignore: decorator
@inline export function rowsOf(op: usize, slot: i32): i32 {
  return field(op, slot + SLOT_PART_ROWS)
}
// @ts-ignore: decorator
@inline export function widthOf(op: usize, slot: i32): i32 {
  return field(op, slot + SLOT_PART_WIDTH)
}
// @ts-ignore: decorator
@inline export function strideOf(op: usize, slot: i32): i32 {
  return field(op, slot + SLOT_PART_STRIDE) << 2
}

/** Gives the address of a weight that a field names; 0 where there is none. */
export function weightAddress(op: usize, index: i32): usize {
  const offset = load<f64>(op + (<usize>index << 3))
  return offset < 0 ? 0 : load<usize>(WEIGHTS) + (<usize>offset << 2)
}
export function constantAddress(op: usize, index: i32): usize {
  const offset = load<f64>(op + (<usize>index << 3))
  return offset < 0 ? 0 : load<usize>(CONSTANTS) + (<usize>offset << 2)
}

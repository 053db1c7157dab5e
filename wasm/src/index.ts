// The module that src/engine/wasm drives: packs weights, and runs operations with all threads that share the memory.
//
// The leader runs an operation by publishing it and taking tasks from a common counter; followers do the same, then wait for the next.
import {
  BATCH,
  batch,
  FIELDS,
  field,
  GENERATION,
  IN,
  kindOf,
  NEXT_TASK,
  NUMBERS,
  OP,
  OUT,
  precisionOf,
  rowsOf,
  setJob,
  TASKS,
  THREADS,
  WORKING,
  widthOf,
} from './context'
import { attention, attentionScratchBytes, attentionTasks, isNormed, probe, probeScratchBytes, probeTasks } from './attention'
import { madd, splat, sumLanes } from './functions'
import { inIntegers, packPanels } from './packed'
import { halvesTotalBytes, linear, linearScratchBytes, linearTasks, takeApart } from './product'
import {
  assembleTokens,
  broadcast,
  copyIn,
  copyOut,
  elementwise,
  meanRows,
  norm,
  normQueriesAndKeys,
  patchify,
  regroup,
  rowTasks,
  sliceRows,
} from './rows'

export { packPanels, setJob }

// In the order of OP_KINDS in src/engine/lowered/lowered-op.ts.
const COPY_IN: i32 = 0
const COPY_OUT: i32 = 1
const PATCHIFY_PLANES: i32 = 2
const PATCHIFY_ROWS: i32 = 3
const LINEAR: i32 = 4
const ASSEMBLE_TOKENS: i32 = 5
const NORM: i32 = 6
const ATTENTION: i32 = 7
const ELEMENTWISE: i32 = 8
const SLICE_ROWS: i32 = 9
const MEAN_ROWS: i32 = 10
const BROADCAST: i32 = 11
const PROBE_ATTENTION: i32 = 12
const REGROUP: i32 = 13

// What an operation does before its own tasks, as a kind beside them.
const NORM_QUERIES: i32 = 32
const TAKE_APART: i32 = 33
const PHASE: usize = THREADS + 4

function tasksOf(kind: i32, op: usize): i32 {
  switch (kind) {
    case COPY_IN:
      return rowTasks(batch() * rowsOf(op, OUT), widthOf(op, OUT))
    case COPY_OUT:
    case NORM:
    case ELEMENTWISE:
      return rowTasks(batch() * rowsOf(op, IN), widthOf(op, IN))
    case PATCHIFY_PLANES:
    case PATCHIFY_ROWS:
      return batch() * (field(op, NUMBERS + 1) / field(op, NUMBERS + 3))
    case LINEAR:
      return linearTasks(op)
    case ASSEMBLE_TOKENS:
    case SLICE_ROWS:
      return rowTasks(batch() * rowsOf(op, OUT), widthOf(op, OUT))
    case ATTENTION:
      return attentionTasks(op)
    case MEAN_ROWS:
      return batch() * ((widthOf(op, IN) + 15) >> 4)
    case BROADCAST:
      return batch()
    case PROBE_ATTENTION:
      return probeTasks(op)
    case REGROUP:
      return batch() * field(op, NUMBERS)
    case NORM_QUERIES:
      return rowTasks(batch() * rowsOf(op, IN), 2 * widthOf(op, OUT))
    case TAKE_APART:
      return rowTasks(batch() * rowsOf(op, IN), widthOf(op, IN))
    default:
      return 0
  }
}

function runTask(kind: i32, op: usize, task: i32, thread: i32): void {
  switch (kind) {
    case COPY_IN:
      return copyIn(op, task)
    case COPY_OUT:
      return copyOut(op, task)
    case PATCHIFY_PLANES:
      return patchify(op, task, true)
    case PATCHIFY_ROWS:
      return patchify(op, task, false)
    case LINEAR:
      return linear(op, task, thread)
    case ASSEMBLE_TOKENS:
      return assembleTokens(op, task)
    case NORM:
      return norm(op, task)
    case ATTENTION:
      return attention(op, task, thread)
    case ELEMENTWISE:
      return elementwise(op, task)
    case SLICE_ROWS:
      return sliceRows(op, task)
    case MEAN_ROWS:
      return meanRows(op, task)
    case BROADCAST:
      return broadcast(op, task)
    case PROBE_ATTENTION:
      return probe(op, task, thread)
    case REGROUP:
      return regroup(op, task)
    case NORM_QUERIES:
      return normQueriesAndKeys(op, task)
    case TAKE_APART:
      return takeApart(op, task)
  }
}

/** Bytes that a thread needs beside the slots for `count` operations. */
export function scratchBytes(ops: usize, count: i32, images: i32): i32 {
  store<i32>(BATCH, images)
  let most = 0
  for (let i = 0; i < count; i++) {
    const op = ops + <usize>(i * FIELDS * 8)
    const kind = kindOf(op)
    if (kind == LINEAR) most = max(most, linearScratchBytes(op))
    else if (kind == ATTENTION) most = max(most, attentionScratchBytes(op))
    else if (kind == PROBE_ATTENTION) most = max(most, probeScratchBytes(op))
  }
  return (most + 127) & ~127
}

/** Bytes that all threads need together. */
export function sharedBytes(ops: usize, count: i32, images: i32): i32 {
  store<i32>(BATCH, images)
  let most = 0
  for (let i = 0; i < count; i++) {
    const op = ops + <usize>(i * FIELDS * 8)
    if (isTakenApart(op)) most = max(most, halvesTotalBytes(op))
  }
  return (most + 127) & ~127
}

function isTakenApart(op: usize): bool {
  return kindOf(op) == LINEAR && inIntegers(precisionOf(op))
}

// ---- Threads ----

// Rounds that a thread looks for work before it sleeps: about as long as a task takes, since waking costs as much.
const PATIENCE: i32 = 100000

function takeTasks(thread: i32): void {
  const kind = load<i32>(PHASE)
  const op = load<usize>(OP)
  const tasks = load<i32>(TASKS)
  if (ASC_FEATURE_THREADS) {
    while (true) {
      const task = atomic.add<i32>(NEXT_TASK, 1)
      if (task >= tasks) return
      runTask(kind, op, task, thread)
    }
  } else {
    for (let task = 0; task < tasks; task++) runTask(kind, op, task, thread)
  }
}

function runPhase(kind: i32, op: usize): void {
  const tasks = tasksOf(kind, op)
  store<i32>(PHASE, kind)
  store<usize>(OP, op)
  store<i32>(TASKS, tasks)
  if (!ASC_FEATURE_THREADS) return takeTasks(0)
  const followers = load<i32>(THREADS) - 1
  const shared = followers > 0 && tasks > 1
  atomic.store<i32>(NEXT_TASK, 0)
  if (shared) {
    atomic.store<i32>(WORKING, followers)
    atomic.add<i32>(GENERATION, 1)
    atomic.notify(GENERATION, -1)
  }
  takeTasks(0)
  if (!shared) return
  for (let i = 0; i < PATIENCE; i++) {
    if (atomic.load<i32>(WORKING) == 0) return
  }
  while (true) {
    const working = atomic.load<i32>(WORKING)
    if (working == 0) return
    atomic.wait<i32>(WORKING, working, -1)
  }
}

/** Runs operations [from, to) of those at `ops`; on the leader only. */
export function run(ops: usize, from: i32, to: i32): void {
  for (let i = from; i < to; i++) {
    const op = ops + <usize>(i * FIELDS * 8)
    const kind = kindOf(op)
    if (kind == ATTENTION && isNormed(op)) runPhase(NORM_QUERIES, op)
    if (isTakenApart(op)) runPhase(TAKE_APART, op)
    runPhase(kind, op)
  }
}

/** A follower's life: until its worker is ended. */
export function follow(thread: i32): void {
  if (!ASC_FEATURE_THREADS) return
  let seen = 0
  while (true) {
    for (let i = 0; i < PATIENCE && atomic.load<i32>(GENERATION) == seen; i++) {}
    while (atomic.load<i32>(GENERATION) == seen) atomic.wait<i32>(GENERATION, seen, -1)
    seen = atomic.load<i32>(GENERATION)
    takeTasks(thread)
    if (atomic.sub<i32>(WORKING, 1) == 1) atomic.notify(WORKING, 1)
  }
}

// ---- Measuring ----

/** Multiply-adds in registers alone: 12 vectors in each repetition. Factors that a compiler knew would be loaded each time. */
export function peak(repetitions: i32): f32 {
  const x = splat(<f32>repetitions * 1e-9)
  const y = splat(<f32>repetitions * 1e-10)
  let a = splat(0), b = splat(1), c = splat(2), d = splat(3), e = splat(4), f = splat(5), g = splat(6), h = splat(7), i = splat(8), j = splat(9), k = splat(10), l = splat(11)
  for (let n = 0; n < repetitions; n++) {
    a = madd(x, y, a)
    b = madd(x, y, b)
    c = madd(x, y, c)
    d = madd(x, y, d)
    e = madd(x, y, e)
    f = madd(x, y, f)
    g = madd(x, y, g)
    h = madd(x, y, h)
    i = madd(x, y, i)
    j = madd(x, y, j)
    k = madd(x, y, k)
    l = madd(x, y, l)
  }
  a = f32x4.add(f32x4.add(a, b), f32x4.add(c, d))
  e = f32x4.add(f32x4.add(e, f), f32x4.add(g, h))
  i = f32x4.add(f32x4.add(i, j), f32x4.add(k, l))
  return sumLanes(f32x4.add(f32x4.add(a, e), i))
}

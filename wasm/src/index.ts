// The module that src/engine/wasm drives: packs weights, and runs operations with all threads that share the memory.
//
// The leader runs an operation by publishing it and taking tasks from a common counter; followers do the same, then wait for the next.
import {
  BATCH,
  batch,
  GENERATION,
  NEXT_TASK,
  OP,
  precisionOf,
  rowsOf,
  setJob,
  TASKS,
  THREADS,
  widthOf,
  WORKING,
} from './context'
import { attention, attentionScratchBytes, attentionTasks, isNormed, probe, probeScratchBytes, probeTasks } from './attention'
import { digestStripes } from './digest'
import { madd, splat, sumLanes } from './functions'
import {
  FIELDS,
  groupsOf,
  INPUT,
  kindOf,
  OP_ASSEMBLE_TOKENS,
  OP_ATTENTION,
  OP_BROADCAST,
  OP_COPY_IN,
  OP_COPY_OUT,
  OP_ELEMENTWISE,
  OP_LINEAR,
  OP_MEAN_ROWS,
  OP_NORM,
  OP_PATCHIFY_PLANES,
  OP_PATCHIFY_ROWS,
  OP_PROBE_ATTENTION,
  OP_REGROUP,
  OP_SLICE_ROWS,
  OUTPUT,
  patchSizeOf,
  planeHeightOf,
} from './ops'
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

export { digestStripes, packPanels, setJob }

// An operation does this before its own tasks, as a kind beside them.
const NORM_QUERIES: i32 = 32
const TAKE_APART: i32 = 33
const PHASE: usize = THREADS + 4

function tasksOf(kind: i32, op: usize): i32 {
  switch (kind) {
    case OP_COPY_IN:
      return rowTasks(batch() * rowsOf(op, OUTPUT), widthOf(op, OUTPUT))
    case OP_COPY_OUT:
    case OP_NORM:
    case OP_ELEMENTWISE:
      return rowTasks(batch() * rowsOf(op, INPUT), widthOf(op, INPUT))
    case OP_PATCHIFY_PLANES:
    case OP_PATCHIFY_ROWS:
      return batch() * (planeHeightOf(op) / patchSizeOf(op))
    case OP_LINEAR:
      return linearTasks(op)
    case OP_ASSEMBLE_TOKENS:
    case OP_SLICE_ROWS:
      return rowTasks(batch() * rowsOf(op, OUTPUT), widthOf(op, OUTPUT))
    case OP_ATTENTION:
      return attentionTasks(op)
    case OP_MEAN_ROWS:
      return batch() * ((widthOf(op, INPUT) + 15) >> 4)
    case OP_BROADCAST:
      return batch()
    case OP_PROBE_ATTENTION:
      return probeTasks(op)
    case OP_REGROUP:
      return batch() * groupsOf(op)
    case NORM_QUERIES:
      return rowTasks(batch() * rowsOf(op, INPUT), 2 * widthOf(op, OUTPUT))
    case TAKE_APART:
      return rowTasks(batch() * rowsOf(op, INPUT), widthOf(op, INPUT))
    default:
      // The table has an operation that nothing here computes.
      unreachable()
      return 0
  }
}

function runTask(kind: i32, op: usize, task: i32, thread: i32): void {
  switch (kind) {
    case OP_COPY_IN:
      return copyIn(op, task)
    case OP_COPY_OUT:
      return copyOut(op, task)
    case OP_PATCHIFY_PLANES:
      return patchify(op, task, true)
    case OP_PATCHIFY_ROWS:
      return patchify(op, task, false)
    case OP_LINEAR:
      return linear(op, task, thread)
    case OP_ASSEMBLE_TOKENS:
      return assembleTokens(op, task)
    case OP_NORM:
      return norm(op, task)
    case OP_ATTENTION:
      return attention(op, task, thread)
    case OP_ELEMENTWISE:
      return elementwise(op, task)
    case OP_SLICE_ROWS:
      return sliceRows(op, task)
    case OP_MEAN_ROWS:
      return meanRows(op, task)
    case OP_BROADCAST:
      return broadcast(op, task)
    case OP_PROBE_ATTENTION:
      return probe(op, task, thread)
    case OP_REGROUP:
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
    if (kind == OP_LINEAR) most = max(most, linearScratchBytes(op))
    else if (kind == OP_ATTENTION) most = max(most, attentionScratchBytes(op))
    else if (kind == OP_PROBE_ATTENTION) most = max(most, probeScratchBytes(op))
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
  return kindOf(op) == OP_LINEAR && inIntegers(precisionOf(op))
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
    if (kind == OP_ATTENTION && isNormed(op)) runPhase(NORM_QUERIES, op)
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

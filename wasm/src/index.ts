// Makes the module that src/engine/wasm drives: it packs weights, and runs operations with all threads that share the memory.
//
// The leader runs an operation by publishing it and taking tasks from a common counter; followers do the same, then wait for the next.
import { BATCH, batch, FIRST_ROW, GENERATION, NEXT_TASK, OP, rowsOf, setJob, setThread, TASKS, THREADS, WORKING } from './context'
import { attentionScratchBytes, probeAttentionScratchBytes } from './attention'
import { attentionWeightsScratchBytes } from './attention-weights'
import { digestStripes } from './digest'
import { runOperation, tasksOfOperation } from './dispatch'
import { gramPanels, multiplyRows } from './features'
import { madd, splat, sumLanes } from './functions'
import { FIELDS, kindOf, OP_ATTENTION, OP_ATTENTION_WEIGHTS, OP_CONV2D, OP_LINEAR, OP_PROBE_ATTENTION, OP_RESIZE, OUTPUT } from './ops'
import { resizeScratchBytes } from './maps'
import { packPanels, publishProducts } from './packed'
import { blockRowsOf, laidOutBytes, layOut, layOutTasks, linearScratchBytes } from './product'

export { digestStripes, gramPanels, multiplyRows, packPanels, setJob }

// An operation may do this before its own tasks. It is numbered beside the kinds, whose tasks are taken in the same way.
const LAY_OUT: i32 = -1
const PHASE: usize = THREADS + 4

function tasksOf(phase: i32, op: usize): i32 {
  if (phase == LAY_OUT) return layOutTasks(op)
  return tasksOfOperation(phase, op)
}

function runTask(phase: i32, op: usize, task: i32): void {
  if (phase == LAY_OUT) return layOut(op, task)
  runOperation(phase, op, task)
}

/** Counts the bytes that a thread needs beside the slots for `count` operations. The leader asks before it runs them. */
export function scratchBytes(ops: usize, count: i32, images: i32): i32 {
  store<i32>(BATCH, images)
  publishProducts()
  let most = 0
  for (let i = 0; i < count; i++) {
    const op = ops + <usize>(i * FIELDS * 8)
    const kind = kindOf(op)
    if (isProduct(kind)) most = max(most, linearScratchBytes(op))
    else if (kind == OP_RESIZE) most = max(most, resizeScratchBytes(op))
    else if (kind == OP_ATTENTION) most = max(most, attentionScratchBytes(op))
    else if (kind == OP_ATTENTION_WEIGHTS) most = max(most, attentionWeightsScratchBytes(op))
    else if (kind == OP_PROBE_ATTENTION) most = max(most, probeAttentionScratchBytes(op))
  }
  return (most + 127) & ~127
}

/** Counts the bytes that all threads need together. */
export function sharedBytes(ops: usize, count: i32, images: i32): i32 {
  store<i32>(BATCH, images)
  let most = 0
  for (let i = 0; i < count; i++) {
    const op = ops + <usize>(i * FIELDS * 8)
    if (isProduct(kindOf(op))) most = max(most, laidOutBytes(op))
  }
  return (most + 127) & ~127
}

// ---- Threads ----

// A thread looks for work so many rounds before it sleeps: about as long as a task takes, since waking costs as much.
const PATIENCE: i32 = 100000

function takeTasks(): void {
  const phase = load<i32>(PHASE)
  const op = load<usize>(OP)
  const tasks = load<i32>(TASKS)
  if (ASC_FEATURE_THREADS) {
    while (true) {
      const task = atomic.add<i32>(NEXT_TASK, 1)
      if (task >= tasks) return
      runTask(phase, op, task)
    }
  } else {
    for (let task = 0; task < tasks; task++) runTask(phase, op, task)
  }
}

function runPhase(phase: i32, op: usize): void {
  const tasks = tasksOf(phase, op)
  store<i32>(PHASE, phase)
  store<usize>(OP, op)
  store<i32>(TASKS, tasks)
  if (!ASC_FEATURE_THREADS) return takeTasks()
  const followers = load<i32>(THREADS) - 1
  const shared = followers > 0 && tasks > 1
  atomic.store<i32>(NEXT_TASK, 0)
  if (shared) {
    atomic.store<i32>(WORKING, followers)
    atomic.add<i32>(GENERATION, 1)
    atomic.notify(GENERATION, -1)
  }
  takeTasks()
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

function isProduct(kind: i32): bool {
  return kind == OP_LINEAR || kind == OP_CONV2D
}

/** Rows are laid out before they are multiplied, block by block. */
function runProduct(kind: i32, op: usize): void {
  const rows = batch() * rowsOf(op, OUTPUT)
  for (let first = 0; first < rows; first += blockRowsOf(op)) {
    store<i32>(FIRST_ROW, first)
    runPhase(LAY_OUT, op)
    runPhase(kind, op)
  }
}

/** Runs operations [from, to) of those at `ops`. The leader alone calls it. */
export function run(ops: usize, from: i32, to: i32): void {
  for (let i = from; i < to; i++) {
    const op = ops + <usize>(i * FIELDS * 8)
    const kind = kindOf(op)
    if (isProduct(kind)) runProduct(kind, op)
    else runPhase(kind, op)
  }
}

/** Lives a follower's life, which lasts until its worker is ended. */
export function follow(thread: i32): void {
  if (!ASC_FEATURE_THREADS) return
  setThread(thread)
  let seen = 0
  while (true) {
    for (let i = 0; i < PATIENCE && atomic.load<i32>(GENERATION) == seen; i++) {}
    while (atomic.load<i32>(GENERATION) == seen) atomic.wait<i32>(GENERATION, seen, -1)
    seen = atomic.load<i32>(GENERATION)
    takeTasks()
    if (atomic.sub<i32>(WORKING, 1) == 1) atomic.notify(WORKING, 1)
  }
}

// ---- Measuring ----

/** Multiplies and adds in registers alone, 12 vectors in each repetition, so that nothing but arithmetic is measured. Factors that a compiler knew would be loaded each time. */
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

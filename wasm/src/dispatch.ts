// Generated from src/engine/ops.ts by scripts/generate-ops.mjs: change the table and run `node scripts/generate-ops.mjs`.

import * as kernels from './kernels'
import {
  OP_COPY_IN,
  OP_COPY_OUT,
  OP_PATCHIFY_PLANES,
  OP_PATCHIFY_ROWS,
  OP_LINEAR,
  OP_ASSEMBLE_TOKENS,
  OP_NORM,
  OP_TURN,
  OP_ATTENTION,
  OP_ATTENTION_WEIGHTS,
  OP_ELEMENTWISE,
  OP_SLICE_ROWS,
  OP_MEAN_ROWS,
  OP_MAX_ROWS,
  OP_BROADCAST,
  OP_PROBE_ATTENTION,
  OP_GATHER_ROWS,
  OP_TAKE_ROW,
  OP_CONV2D,
  OP_FOLD_PATCHES,
  OP_RESIZE,
  OP_REGROUP,
  OP_CONVERT,
} from './ops'

/** Counts the tasks that an operation is shared out in. */
export function tasksOfOperation(kind: i32, op: usize): i32 {
  switch (kind) {
    case OP_COPY_IN:
      return kernels.copyInTasks(op)
    case OP_COPY_OUT:
      return kernels.copyOutTasks(op)
    case OP_PATCHIFY_PLANES:
      return kernels.patchifyPlanesTasks(op)
    case OP_PATCHIFY_ROWS:
      return kernels.patchifyRowsTasks(op)
    case OP_LINEAR:
      return kernels.linearTasks(op)
    case OP_ASSEMBLE_TOKENS:
      return kernels.assembleTokensTasks(op)
    case OP_NORM:
      return kernels.normTasks(op)
    case OP_TURN:
      return kernels.turnTasks(op)
    case OP_ATTENTION:
      return kernels.attentionTasks(op)
    case OP_ATTENTION_WEIGHTS:
      return kernels.attentionWeightsTasks(op)
    case OP_ELEMENTWISE:
      return kernels.elementwiseTasks(op)
    case OP_SLICE_ROWS:
      return kernels.sliceRowsTasks(op)
    case OP_MEAN_ROWS:
      return kernels.meanRowsTasks(op)
    case OP_MAX_ROWS:
      return kernels.maxRowsTasks(op)
    case OP_BROADCAST:
      return kernels.broadcastTasks(op)
    case OP_PROBE_ATTENTION:
      return kernels.probeAttentionTasks(op)
    case OP_GATHER_ROWS:
      return kernels.gatherRowsTasks(op)
    case OP_TAKE_ROW:
      return kernels.takeRowTasks(op)
    case OP_CONV2D:
      return kernels.conv2dTasks(op)
    case OP_FOLD_PATCHES:
      return kernels.foldPatchesTasks(op)
    case OP_RESIZE:
      return kernels.resizeTasks(op)
    case OP_REGROUP:
      return kernels.regroupTasks(op)
    case OP_CONVERT:
      return kernels.convertTasks(op)
    default:
      unreachable()
      return 0
  }
}

/** Does one task of an operation. */
export function runOperation(kind: i32, op: usize, task: i32): void {
  switch (kind) {
    case OP_COPY_IN:
      return kernels.copyIn(op, task)
    case OP_COPY_OUT:
      return kernels.copyOut(op, task)
    case OP_PATCHIFY_PLANES:
      return kernels.patchifyPlanes(op, task)
    case OP_PATCHIFY_ROWS:
      return kernels.patchifyRows(op, task)
    case OP_LINEAR:
      return kernels.linear(op, task)
    case OP_ASSEMBLE_TOKENS:
      return kernels.assembleTokens(op, task)
    case OP_NORM:
      return kernels.norm(op, task)
    case OP_TURN:
      return kernels.turn(op, task)
    case OP_ATTENTION:
      return kernels.attention(op, task)
    case OP_ATTENTION_WEIGHTS:
      return kernels.attentionWeights(op, task)
    case OP_ELEMENTWISE:
      return kernels.elementwise(op, task)
    case OP_SLICE_ROWS:
      return kernels.sliceRows(op, task)
    case OP_MEAN_ROWS:
      return kernels.meanRows(op, task)
    case OP_MAX_ROWS:
      return kernels.maxRows(op, task)
    case OP_BROADCAST:
      return kernels.broadcast(op, task)
    case OP_PROBE_ATTENTION:
      return kernels.probeAttention(op, task)
    case OP_GATHER_ROWS:
      return kernels.gatherRows(op, task)
    case OP_TAKE_ROW:
      return kernels.takeRow(op, task)
    case OP_CONV2D:
      return kernels.conv2d(op, task)
    case OP_FOLD_PATCHES:
      return kernels.foldPatches(op, task)
    case OP_RESIZE:
      return kernels.resize(op, task)
    case OP_REGROUP:
      return kernels.regroup(op, task)
    case OP_CONVERT:
      return kernels.convert(op, task)
    default:
      unreachable()
  }
}

/** A plan and the outputs wanted, as operations for one piece of memory. */

import { elementCount } from '../../tensor/shape.js'
import { EngineError } from '../engine-error.js'
import { neededSteps } from '../needed-steps.js'
import type { Format } from '../ops.js'
import type { Plan, SlotName } from '../plan.js'
import { type Arena, planArena } from './arena.js'
import type { Arithmetic } from './arithmetic.js'
import { assignFormats } from './assign-formats.js'
import { checkStep } from './check-step.js'
import { fuse } from './fuse.js'
import { lowerStep } from './lower-step.js'
import { type LoweredOp, loweredOp } from './lowered-op.js'
import { type SlotSizes, sizesOf } from './slot-sizes.js'

export interface LoweredPlan {
  readonly ops: readonly LoweredOp[]
  readonly sizes: SlotSizes
  /** Of slots that are not float32. */
  readonly formats: ReadonlyMap<SlotName, Format>
  readonly arena: Arena
  /** Values of the input for one image. */
  readonly inputLength: number
}

/** Throws `unsupported` where the plan contradicts itself or lacks an output. */
export function lowerPlan(plan: Plan, outputs: readonly SlotName[], arithmetic: Arithmetic): LoweredPlan {
  const steps = neededSteps(plan, outputs)
  const sizes = sizesOf(plan)
  for (const step of steps) checkStep(step, plan)
  const wanted = new Set(outputs)
  const fused = fuse(
    steps.flatMap((step) => lowerStep(step, plan, sizes, arithmetic)),
    wanted,
  )
  const readsInput = fused.some((op) => op.input === plan.input || op.second === plan.input)
  if (readsInput && !sizes.has(plan.input)) {
    throw new EngineError('unsupported', `Only patchify can read ${plan.input}, which is not [rows, width].`)
  }
  const complete = readsInput ? [loweredOp('copyIn', { output: plan.input }), ...fused] : fused
  const { ops: lowered, formats } = assignFormats(complete, wanted, sizes, arithmetic)

  const inputLength = elementCount(plan.slots.get(plan.input) ?? [])
  const ops: LoweredOp[] = []
  if (outputs.includes(plan.input)) {
    ops.push(loweredOp('copyOut', { outputIndex: outputs.indexOf(plan.input) }))
  }
  for (const op of lowered) {
    ops.push(op)
    // Copied out at once, so that an output's memory is free for others as soon as its readers are done.
    const index = op.output === null || op.kind === 'copyIn' ? -1 : outputs.indexOf(op.output)
    if (index >= 0) ops.push(loweredOp('copyOut', { input: op.output, outputIndex: index }))
  }
  return { ops, sizes, formats, arena: planArena(ops, sizes, formats), inputLength }
}

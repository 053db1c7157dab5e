/** Turns a plan and the outputs wanted into operations for one piece of memory. */
import { EngineError } from '../engine-error.js'
import { neededSteps } from '../needed-steps.js'
import type { Format } from '../ops.js'
import type { Plan, SlotName } from '../plan.js'
import { inputLength, inputPlace, slotLength } from '../plan-lookup.js'
import { type Arena, planArena } from './arena.js'
import type { Arithmetic } from './arithmetic.js'
import { assignFormats } from './assign-formats.js'
import { broadcastConstants } from './broadcast-constants.js'
import { checkStep } from './check-step.js'
import { fuse } from './fuse.js'
import { lowerStep } from './lower-step.js'
import { type LoweredOp, loweredOp } from './lowered-op.js'
import { type SlotSizes, sizesOf } from './slot-sizes.js'

export interface LoweredPlan {
  readonly ops: readonly LoweredOp[]
  readonly sizes: SlotSizes
  /** Holds the formats of slots that are not float32. */
  readonly formats: ReadonlyMap<SlotName, Format>
  readonly arena: Arena
  /** Counts the values of all inputs for one image. */
  readonly inputLength: number
  /** Counts those of each output, in the order of the outputs. */
  readonly outputLengths: readonly number[]
}

/** Throws `unsupported` where the plan contradicts itself or lacks an output. */
export function lowerPlan(plan: Plan, outputs: readonly SlotName[], arithmetic: Arithmetic): LoweredPlan {
  const steps = neededSteps(plan, outputs)
  const sizes = sizesOf(plan)
  for (const step of steps) checkStep(step, plan)
  const wanted = new Set(outputs)
  const fused = fuse(
    withoutRepeats(steps.flatMap((step) => lowerStep(step, plan, sizes, arithmetic))),
    wanted,
  )
  const copiesIn = copyInputs(fused, plan, sizes)
  const complete = [...copiesIn, ...broadcastConstants(fused, plan)]
  const { ops: formatted, formats } = assignFormats(complete, wanted, sizes, arithmetic)
  const ops = copyOutputs(formatted, plan, outputs)
  return {
    ops,
    sizes,
    formats,
    arena: planArena(ops, sizes, formats),
    inputLength: inputLength(plan),
    outputLengths: outputs.map((slot) => slotLength(plan, slot)),
  }
}

/** Brings the inputs that are read into slots. */
function copyInputs(ops: readonly LoweredOp[], plan: Plan, sizes: SlotSizes): readonly LoweredOp[] {
  return plan.inputs.flatMap(({ slot }) => {
    if (!ops.some((op) => op.input === slot || op.second === slot)) return []
    if (sizes.has(slot)) return [loweredOp('copyIn', { output: slot, ...inputPlace(plan, slot) })]
    throw new EngineError('unsupported', `Only patchify can read ${slot}, which is not [rows, width].`)
  })
}

/** Turns queries and keys once for all who look at them: the slot is named after what is done to them. */
function withoutRepeats(ops: readonly LoweredOp[]): readonly LoweredOp[] {
  const turned = new Set<SlotName | null>()
  return ops.filter(({ kind, output }) => {
    const isRepeated = kind === 'turn' && turned.has(output)
    if (kind === 'turn') turned.add(output)
    return !isRepeated
  })
}

/** Copies outputs out at once, so that an output's memory is free for others as soon as its readers are done. */
function copyOutputs(
  ops: readonly LoweredOp[],
  plan: Plan,
  outputs: readonly SlotName[],
): readonly LoweredOp[] {
  const asked = new Map(outputs.map((slot, index) => [slot, index]))
  const givesInputs = plan.inputs.flatMap(({ slot }) => {
    const outputIndex = asked.get(slot)
    return outputIndex === undefined ? [] : [loweredOp('copyOut', { outputIndex, ...inputPlace(plan, slot) })]
  })
  const copied = ops.flatMap((op) => {
    const outputIndex = op.output === null || op.kind === 'copyIn' ? undefined : asked.get(op.output)
    return outputIndex === undefined ? [op] : [op, loweredOp('copyOut', { input: op.output, outputIndex })]
  })
  return [...givesInputs, ...copied]
}

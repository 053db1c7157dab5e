/** Counts how much work a plan is, so that two timings compare whatever the network, the size and the engine. */
import { plainArithmetic } from './lowered/arithmetic.js'
import { lowerStep } from './lowered/lower-step.js'
import type { LoweredOp } from './lowered/lowered-op.js'
import { type SlotSizes, sizeOf, sizesOf } from './lowered/slot-sizes.js'
import { neededSteps } from './needed-steps.js'
import { OPS, type OpRow } from './ops.js'
import type { Plan, SlotName } from './plan.js'

/**
 * Counts the floating-point operations for one image: two for each multiply-add of the matrix products (linear layers, patch embedding, both products of
 * attention, experts). Norms, softmax and activations are left out, as is usual: a few per cent. The table of operations says how many each takes.
 *
 * @param outputs what is asked for; steps that it does not need do not count
 */
export function countFlop(plan: Plan, outputs: readonly SlotName[]): number {
  const sizes = sizesOf(plan)
  const arithmetic = plainArithmetic()
  return neededSteps(plan, outputs)
    .flatMap((step) => lowerStep(step, plan, sizes, arithmetic))
    .reduce((sum, op) => sum + flopOf(op, sizes), 0)
}

function flopOf(op: LoweredOp, sizes: SlotSizes): number {
  const { flop }: OpRow = OPS[op.kind]
  const partOf = (slot: SlotName | null, part: readonly [number, number] | null = null) => {
    if (slot === null) return [0, 0] as const
    const [rows, width] = sizeOf(slot, sizes)
    return [part?.[1] ?? rows, width] as const
  }
  return flop({
    input: partOf(op.input, op.inputRows),
    second: partOf(op.second),
    output: partOf(op.output, op.outputRows),
    latents: op.latents,
    weightOperand: op.weightOperand,
  })
}

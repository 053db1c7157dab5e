/** Counts how much work a plan is, so that two timings compare whatever the network, the size and the engine. */
import { plainArithmetic } from './lowered/arithmetic.js'
import { lowerStep } from './lowered/lower-step.js'
import { flopOf } from './lowered/op-times.js'
import { sizesOf } from './lowered/slot-sizes.js'
import { neededSteps } from './needed-steps.js'
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

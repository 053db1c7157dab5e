/** Which slots a step reads, and which steps a set of outputs needs. */
import { EngineError } from './engine-error.js'
import type { Plan, SlotName, Step } from './plan.js'

export function inputsOf(step: Step): readonly SlotName[] {
  switch (step.op) {
    case 'add':
      return [step.input, step.branch]
    case 'gate':
      return [step.gate, step.value]
    case 'crossAttention':
      return [step.query, step.keyValue]
    case 'probeAttention':
      return [step.keys, step.values]
    case 'broadcast':
      return []
    default:
      return [step.input]
  }
}

/** The plan's steps, in order, without those that contribute to none of the outputs. */
export function neededSteps(plan: Plan, outputs: readonly SlotName[]): readonly Step[] {
  for (const slot of outputs) {
    if (!plan.slots.has(slot)) {
      throw new EngineError(
        'unsupported',
        `The plan has no slot named ${slot}. Its last one is ${[...plan.slots.keys()].at(-1)}.`,
      )
    }
  }
  const needed = new Set<SlotName>(outputs)
  const steps: Step[] = []
  for (const step of plan.steps.toReversed()) {
    if (!needed.has(step.output)) continue
    steps.push(step)
    for (const slot of inputsOf(step)) needed.add(slot)
  }
  return steps.reverse()
}

/** Tells which slots a step reads, and which steps a set of outputs needs. */
import { EngineError } from './engine-error.js'
import type { ConstantName, Plan, SlotName, Step } from './plan.js'
import { handleStep, type StepTable } from './step-table.js'

const READS: StepTable<[], readonly (SlotName | ConstantName)[]> = {
  patchify: ({ input }) => [input],
  linear: ({ input }) => [input],
  assembleTokens: ({ input }) => [input],
  norm: ({ input }) => [input],
  attention: ({ input }) => [input],
  activation: ({ input }) => [input],
  gate: ({ gate, value }) => [gate, value],
  scale: ({ input }) => [input],
  add: ({ input, branch }) => [input, branch],
  sliceRows: ({ input }) => [input],
  meanRows: ({ input }) => [input],
  maxRows: ({ input }) => [input],
  broadcast: () => [],
  gatherRows: ({ input }) => [input],
  takeRow: ({ input, ids }) => [input, ids],
  stackRows: ({ inputs }) => inputs,
  conv2d: ({ input }) => [input],
  transposedConv2d: ({ input }) => [input],
  resize: ({ input }) => [input],
  crossAttention: ({ query, keyValue }) => [query, keyValue],
  attentionWeights: ({ input }) => [input],
  crossAttentionWeights: ({ query, keyValue }) => [query, keyValue],
  probeAttention: ({ keys, values }) => [keys, values],
  softMoe: ({ input }) => [input],
  route: ({ input }) => [input],
  routedExperts: ({ input, routing }) => [input, routing],
}

/** Names the slots that a step reads, and the constants that it reads as if they were slots. */
export function inputsOf(step: Step): readonly (SlotName | ConstantName)[] {
  return handleStep(READS, step)
}

/** Gives the plan's steps, in order, without those that contribute to none of the outputs. */
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

/** Turns one step of a plan into operations, before anything is fused. */
import { EngineError } from '../engine-error.js'
import type { Plan, Step } from '../plan.js'
import { rowsAndWidth, weightShape } from '../plan-lookup.js'
import { handleStep, type StepOf, type StepTable } from '../step-table.js'
import type { Arithmetic } from './arithmetic.js'
import { type LoweredOp, loweredOp, type WeightRef } from './lowered-op.js'
import { type SlotSizes, sizeOf } from './slot-sizes.js'

interface Lowering {
  readonly plan: Plan
  /** Temporary slots are added to it. */
  readonly sizes: SlotSizes
  readonly arithmetic: Arithmetic
}

/** @param sizes temporary slots are added to it */
export function lowerStep(
  step: Step,
  plan: Plan,
  sizes: SlotSizes,
  arithmetic: Arithmetic,
): readonly LoweredOp[] {
  return handleStep(LOWERINGS, step, { plan, sizes, arithmetic })
}

const LOWERINGS: StepTable<[Lowering], readonly LoweredOp[]> = {
  patchify: ({ layout, input, output, channels, height, width, patch }) => [
    loweredOp(layout === 'planes' ? 'patchifyPlanes' : 'patchifyRows', {
      input: layout === 'planes' ? null : input,
      output,
      channels,
      planeHeight: height,
      planeWidth: width,
      patchSize: patch,
    }),
  ],
  linear: (step, { plan, arithmetic }) => [
    loweredOp('linear', {
      input: step.input,
      output: step.output,
      weight: { name: step.weight, form: arithmetic.precisionOf(step, plan) },
      bias: step.bias,
    }),
  ],
  assembleTokens: ({ input, output, classToken, registers, positions }) => [
    loweredOp('assembleTokens', {
      input,
      output,
      weight: classToken === null ? null : rowsForm(classToken),
      gamma: registers,
      constant: positions,
    }),
  ],
  norm: (step) => [loweredOp('norm', { input: step.input, output: step.output, norm: step })],
  attention: lowerAttention,
  activation: ({ input, output, kind }) => [loweredOp('elementwise', { input, output, activation: kind })],
  gate: ({ value, gate, output, kind }) => [
    loweredOp('elementwise', { input: value, second: gate, output, activation: kind, combine: 'gate' }),
  ],
  scale: ({ input, output, gamma }) => [loweredOp('elementwise', { input, output, gamma })],
  add: ({ branch, input, output }) => [
    loweredOp('elementwise', { input: branch, second: input, output, combine: 'add' }),
  ],
  sliceRows: ({ input, output, from }) => [loweredOp('sliceRows', { input, output, firstRow: from })],
  meanRows: ({ input, output }) => [loweredOp('meanRows', { input, output })],
  maxRows: ({ input, output }) => [loweredOp('maxRows', { input, output })],
  stackRows: ({ inputs, output }, { sizes }) => {
    let first = 0
    return inputs.map((input) => {
      const [rows] = sizeOf(input, sizes)
      const outputRows: readonly [number, number] = [first, rows]
      first += rows
      return loweredOp('sliceRows', { input, output, outputRows })
    })
  },
  gatherRows: ({ op }) => {
    throw new EngineError('unsupported', `There is no operation for the step ${op} yet.`)
  },
  broadcast: ({ weight, output }) => [loweredOp('broadcast', { output, weight: rowsForm(weight) })],
  crossAttention: ({ query, keyValue, output, heads, scale }, { sizes }) => [
    loweredOp('attention', {
      input: query,
      second: keyValue,
      output,
      heads,
      scale,
      valuesAt: sizeOf(output, sizes)[1],
    }),
  ],
  probeAttention: ({ keys, values, output, latents, heads, scale }, { plan }) => [
    loweredOp('probeAttention', {
      input: keys,
      second: values,
      output,
      weight: rowsForm(latents),
      heads,
      scale,
      latents: rowsAndWidth(latents, weightShape(plan, latents))[0],
    }),
  ],
  softMoe: lowerSoftMoe,
}

function rowsForm(name: string): WeightRef {
  return { name, form: 'rows' }
}

function lowerAttention(step: StepOf<'attention'>, { sizes }: Lowering): readonly LoweredOp[] {
  const [rows, width] = sizeOf(step.output, sizes)
  const normed = step.queryNorm !== null || step.keyNorm !== null
  const temporary = normed ? `${step.output} (normed q, k)` : null
  if (temporary !== null) sizes.set(temporary, [rows, 2 * width])
  return [
    loweredOp('attention', {
      input: step.input,
      second: step.input,
      output: step.output,
      temporary,
      heads: step.heads,
      scale: step.scale,
      norm: step.queryNorm,
      keyNorm: step.keyNorm,
      keysAt: width,
      valuesAt: 2 * width,
    }),
  ]
}

/**
 * Both mixing steps are attention with one head and no scale: slots ask the normed tokens and receive tokens; normed tokens ask the
 * slots and receive the experts' answers. So the tokens x slots matrix is never in memory.
 */
function lowerSoftMoe(step: StepOf<'softMoe'>, { plan, sizes, arithmetic }: Lowering): readonly LoweredOp[] {
  const [tokens, width] = sizeOf(step.input, sizes)
  const [slotCount] = rowsAndWidth(step.slots, weightShape(plan, step.slots))
  const perExpert = slotCount / step.experts.length
  const temporary = (part: string, rows: number, columns: number) => {
    const name = `${step.output} (${part})`
    sizes.set(name, [rows, columns])
    return name
  }
  const normed = temporary('normed', tokens, width)
  const received = temporary('received', slotCount, width)
  const byExpert = temporary('by expert', slotCount, width)
  const answered = temporary('answered', slotCount, width)
  const byImage = temporary('by image', slotCount, width)
  const slots = rowsForm(step.slots)
  const groups = step.experts.length
  return [
    loweredOp('norm', { input: step.input, output: normed, norm: step.tokenNorm }),
    loweredOp('attention', {
      input: normed,
      second: step.input,
      output: received,
      weight: slots,
      weightOperand: 'query',
    }),
    loweredOp('regroup', { input: received, output: byExpert, groups }),
    ...step.experts.flatMap((expert, index) => {
      const own: readonly [number, number] = [index * perExpert, perExpert]
      const [hiddenWidth] = rowsAndWidth(expert.weight1, weightShape(plan, expert.weight1))
      const hidden = temporary('hidden', perExpert, hiddenWidth)
      return [
        loweredOp('linear', {
          input: byExpert,
          inputRows: own,
          output: hidden,
          weight: { name: expert.weight1, form: arithmetic.precision },
          bias: expert.bias1,
          activation: step.kind,
        }),
        loweredOp('linear', {
          input: hidden,
          output: answered,
          outputRows: own,
          weight: { name: expert.weight2, form: arithmetic.precision },
          bias: expert.bias2,
        }),
      ]
    }),
    loweredOp('regroup', { input: answered, output: byImage, groups, isBack: true }),
    loweredOp('attention', {
      input: normed,
      second: byImage,
      output: step.output,
      weight: slots,
      weightOperand: 'key',
    }),
  ]
}

/** One step of a plan as operations, before anything is fused. */
import type { Plan, SoftMoe, Step } from '../plan.js'
import type { Arithmetic } from './arithmetic.js'
import { type LoweredOp, loweredOp, type WeightRef } from './lowered-op.js'
import { type SlotSizes, sizeOf } from './slot-sizes.js'

const rowsForm = (name: string): WeightRef => ({ name, form: 'rows' })

/** @param sizes temporary slots are added to it */
export function lowerStep(
  step: Step,
  plan: Plan,
  sizes: SlotSizes,
  arithmetic: Arithmetic,
): readonly LoweredOp[] {
  switch (step.op) {
    case 'patchify':
      return [
        loweredOp(step.layout === 'planes' ? 'patchifyPlanes' : 'patchifyRows', {
          input: step.layout === 'planes' ? null : step.input,
          output: step.output,
          channels: step.channels,
          planeHeight: step.height,
          planeWidth: step.width,
          patchSize: step.patch,
        }),
      ]
    case 'linear':
      return [
        loweredOp('linear', {
          input: step.input,
          output: step.output,
          weight: { name: step.weight, form: arithmetic.precisionOf(step, plan) },
          bias: step.bias,
        }),
      ]
    case 'assembleTokens':
      return [
        loweredOp('assembleTokens', {
          input: step.input,
          output: step.output,
          weight: step.classToken === null ? null : rowsForm(step.classToken),
          gamma: step.registers,
          constant: step.positions,
        }),
      ]
    case 'norm':
      return [loweredOp('norm', { input: step.input, output: step.output, norm: step })]
    case 'attention': {
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
    case 'activation':
      return [loweredOp('elementwise', { input: step.input, output: step.output, activation: step.kind })]
    case 'gate':
      return [
        loweredOp('elementwise', {
          input: step.value,
          second: step.gate,
          output: step.output,
          activation: step.kind,
          combine: 'gate',
        }),
      ]
    case 'scale':
      return [loweredOp('elementwise', { input: step.input, output: step.output, gamma: step.gamma })]
    case 'add':
      return [
        loweredOp('elementwise', {
          input: step.branch,
          second: step.input,
          output: step.output,
          combine: 'add',
        }),
      ]
    case 'sliceRows':
      return [loweredOp('sliceRows', { input: step.input, output: step.output, firstRow: step.from })]
    case 'meanRows':
      return [loweredOp('meanRows', { input: step.input, output: step.output })]
    case 'broadcast':
      return [loweredOp('broadcast', { output: step.output, weight: rowsForm(step.weight) })]
    case 'crossAttention':
      return [
        loweredOp('attention', {
          input: step.query,
          second: step.keyValue,
          output: step.output,
          heads: step.heads,
          scale: step.scale,
          valuesAt: sizeOf(step.output, sizes)[1],
        }),
      ]
    case 'probeAttention':
      return [
        loweredOp('probeAttention', {
          input: step.keys,
          second: step.values,
          output: step.output,
          weight: rowsForm(step.latents),
          heads: step.heads,
          scale: step.scale,
          latents: plan.weights.get(step.latents)?.[0] ?? 1,
        }),
      ]
    case 'softMoe':
      return lowerSoftMoe(step, plan, sizes, arithmetic)
    default:
      return step satisfies never
  }
}

/**
 * Both mixing steps are attention with one head and no scale: slots ask the normed tokens and receive tokens; normed tokens ask the
 * slots and receive the experts' answers. So the tokens x slots matrix is never in memory.
 */
function lowerSoftMoe(
  step: SoftMoe,
  plan: Plan,
  sizes: SlotSizes,
  arithmetic: Arithmetic,
): readonly LoweredOp[] {
  const [tokens, width] = sizeOf(step.input, sizes)
  const slotCount = plan.weights.get(step.slots)?.[0] ?? 0
  const perExpert = slotCount / step.experts.length
  const hiddenWidth = plan.weights.get(step.experts[0]?.weight1 ?? '')?.[0] ?? 0
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
  const hidden = temporary('hidden', perExpert, hiddenWidth)
  const slots = rowsForm(step.slots)
  return [
    loweredOp('norm', { input: step.input, output: normed, norm: step.tokenNorm }),
    loweredOp('attention', {
      input: normed,
      second: step.input,
      output: received,
      weight: slots,
      weightOperand: 'query',
    }),
    loweredOp('regroup', { input: received, output: byExpert, groups: step.experts.length }),
    ...step.experts.flatMap((expert, index) => {
      const own: readonly [number, number] = [index * perExpert, perExpert]
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
    loweredOp('regroup', { input: answered, output: byImage, groups: step.experts.length, isBack: true }),
    loweredOp('attention', {
      input: normed,
      second: byImage,
      output: step.output,
      weight: slots,
      weightOperand: 'key',
    }),
  ]
}

/** Lowers mixtures of experts: soft ones, whose experts have as many rows each, and routed ones, whose rows are counted while running. */
import type { Plan, SlotName } from '../plan.js'
import { rowsAndWidth, weightShape } from '../plan-lookup.js'
import type { StepOf } from '../step-table.js'
import { type LoweredOp, loweredOp } from './lowered-op.js'
import type { Lowering } from './lowering.js'
import { type SlotSizes, sizeOf } from './slot-sizes.js'

/** Gives names, and room, to what lies between the operations of a step. */
function temporariesOf(output: SlotName, sizes: SlotSizes) {
  return (part: string, rows: number, columns: number): SlotName => {
    const name = `${output} (${part})`
    sizes.set(name, [rows, columns])
    return name
  }
}

/**
 * Both mixing steps are attention with one head and no scale: slots ask the normed tokens and receive tokens; normed tokens ask the
 * slots and receive the experts' answers. So the tokens x slots matrix is never in memory.
 */
export function lowerSoftMoe(
  step: StepOf<'softMoe'>,
  { plan, sizes, arithmetic }: Lowering,
): readonly LoweredOp[] {
  const [tokens, width] = sizeOf(step.input, sizes)
  const [slotCount] = rowsAndWidth(step.slots, weightShape(plan, step.slots))
  const perExpert = slotCount / step.experts.length
  const temporary = temporariesOf(step.output, sizes)
  const normed = temporary('normed', tokens, width)
  const received = temporary('received', slotCount, width)
  const byExpert = temporary('by expert', slotCount, width)
  const answered = temporary('answered', slotCount, width)
  const byImage = temporary('by image', slotCount, width)
  const slots = { name: step.slots, form: 'rows' } as const
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

/** The gate is multiplied in float32 in every precision: a score that is rounded may choose another expert, and there is no nearly right one. */
export function lowerRoute(step: StepOf<'route'>, { sizes }: Lowering): readonly LoweredOp[] {
  const { input, output, gate, firstRow, choice } = step
  const scores = temporariesOf(output, sizes)('scores', ...sizeOf(output, sizes))
  return [
    loweredOp('linear', { input, output: scores, weight: { name: gate, form: 'float32' } }),
    loweredOp('route', {
      input: scores,
      output,
      routing: choice.kind,
      firstRow,
      bias: choice.kind === 'sigmoid' ? choice.bias : null,
      choices: choice.kind === 'byExperts' ? 0 : choice.choices,
      capacity: choice.kind === 'sigmoid' ? 0 : choice.capacity,
    }),
  ]
}

/**
 * Rows go to where their experts have theirs, all images' together, so that each expert's weights are read once for a batch; there the products are those of
 * a linear layer. How many rows an expert has is known only while running; room is taken for as many as the choice can make.
 */
export function lowerRoutedExperts(
  step: StepOf<'routedExperts'>,
  { plan, sizes, arithmetic }: Lowering,
): readonly LoweredOp[] {
  const { input, output, routing, experts, kind, scale } = step
  const [tokens, width] = sizeOf(input, sizes)
  const count = experts.length
  const rows = mostRowsOf(plan, routing)
  const temporary = temporariesOf(output, sizes)
  const places = temporary('places', tokens + 1, 2 * count)
  const received = temporary('received', rows, width)
  const answered = temporary('answered', rows, width)
  const products = (layer: 'inner' | 'gate' | 'outer', from: SlotName, to: SlotName, isLast: boolean) =>
    experts.flatMap(({ [layer]: own }, expert) =>
      own === null
        ? []
        : loweredOp('expertLinear', {
            input: from,
            second: places,
            output: to,
            weight: { name: own.weight, form: arithmetic.precision },
            bias: own.bias,
            activation: isLast ? kind : 'identity',
            expert,
            groups: count,
          }),
    )
  const [first] = experts
  const hiddenWidth =
    first === undefined ? 0 : rowsAndWidth('inner', weightShape(plan, first.inner.weight))[0]
  const isGated = first?.gate != null
  const inner = temporary('inner', rows, hiddenWidth)
  const gate = isGated ? temporary('gate', rows, hiddenWidth) : inner
  const hidden = isGated ? temporary('hidden', rows, hiddenWidth) : inner
  return [
    loweredOp('placeByExpert', { input: routing, output: places }),
    loweredOp('toExperts', { input, second: places, output: received }),
    ...products('inner', received, inner, !isGated),
    ...products('gate', received, gate, false),
    ...(isGated
      ? [
          loweredOp('elementwise', {
            input: inner,
            second: gate,
            output: hidden,
            activation: kind,
            combine: 'gate',
          }),
        ]
      : []),
    ...products('outer', hidden, answered, false),
    loweredOp('fromExperts', { input: answered, second: places, output, scale }),
  ]
}

/** Counts the rows that all experts of a routing have together at most, for one image. */
function mostRowsOf(plan: Plan, routing: SlotName): number {
  const step = plan.steps.find((one) => one.output === routing)
  if (step?.op !== 'route') throw new Error(`No step routes to ${routing}.`)
  const { choice, firstRow } = step
  const [tokens, experts] = rowsAndWidth(routing, plan.slots.get(routing) ?? [])
  return choice.kind === 'byExperts' ? experts * choice.capacity : (tokens - firstRow) * choice.choices
}

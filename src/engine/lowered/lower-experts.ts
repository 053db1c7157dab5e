/** Lowers mixtures of experts: soft ones, whose experts have as many rows each, and routed ones, whose rows are counted while running. */
import type { Plan, SlotName, WeightName } from '../plan.js'
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
      const rows = [index * perExpert, perExpert] as const
      const [hiddenWidth] = rowsAndWidth(expert.weight1, weightShape(plan, expert.weight1))
      const hidden = temporary('hidden', perExpert, hiddenWidth)
      return softExpert(expert, { rows, byExpert, hidden, answered }, step.kind, arithmetic)
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

/** Multiplies an expert's own rows, [first row, rows], by its two layers. */
function softExpert(
  { weight1, bias1, weight2, bias2 }: StepOf<'softMoe'>['experts'][number],
  slots: {
    readonly rows: readonly [number, number]
    readonly byExpert: SlotName
    readonly hidden: SlotName
    readonly answered: SlotName
  },
  activation: StepOf<'softMoe'>['kind'],
  arithmetic: Lowering['arithmetic'],
): readonly LoweredOp[] {
  const { rows, byExpert, hidden, answered } = slots
  const weight = (name: WeightName) => ({ name, form: arithmetic.precisionWith(name) })
  return [
    loweredOp('linear', {
      input: byExpert,
      inputRows: rows,
      output: hidden,
      weight: weight(weight1),
      bias: bias1,
      activation,
    }),
    loweredOp('linear', {
      input: hidden,
      output: answered,
      outputRows: rows,
      weight: weight(weight2),
      bias: bias2,
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
export function lowerRoutedExperts(step: StepOf<'routedExperts'>, lowering: Lowering): readonly LoweredOp[] {
  const { input, output, routing, experts, scale } = step
  const { plan, sizes } = lowering
  const [tokens, width] = sizeOf(input, sizes)
  const rows = mostRowsOf(plan, routing)
  const temporary = temporariesOf(output, sizes)
  const places = temporary('places', tokens + 1, 2 * experts.length)
  const received = temporary('received', rows, width)
  const answered = temporary('answered', rows, width)
  return [
    loweredOp('placeByExpert', { input: routing, output: places }),
    loweredOp('toExperts', { input, second: places, output: received }),
    ...lowerAnswers(step, lowering, { rows, places, received, answered }),
    loweredOp('fromExperts', { input: answered, second: places, output, scale }),
  ]
}

/** Says where the rows of all experts are. */
interface ExpertRows {
  /** Counts them for one image, at most. */
  readonly rows: number
  readonly places: SlotName
  readonly received: SlotName
  readonly answered: SlotName
}

function lowerAnswers(
  { output, experts, kind }: StepOf<'routedExperts'>,
  { plan, sizes, arithmetic }: Lowering,
  { rows, places, received, answered }: ExpertRows,
): readonly LoweredOp[] {
  const [first] = experts
  if (first === undefined) return []
  const products = (part: 'inner' | 'gate' | 'outer', fields: Parameters<typeof loweredOp>[1]) =>
    experts.flatMap(({ [part]: layer }, expert) => {
      if (layer === null) return []
      const { weight: name, bias } = layer
      const weight = { name, form: arithmetic.precisionWith(name) }
      return loweredOp('expertLinear', {
        ...fields,
        second: places,
        weight,
        bias,
        expert,
        groups: experts.length,
      })
    })
  const temporary = temporariesOf(output, sizes)
  const [hiddenWidth] = rowsAndWidth(first.inner.weight, weightShape(plan, first.inner.weight))
  const inner = temporary('inner', rows, hiddenWidth)
  const outer = (input: SlotName) => products('outer', { input, output: answered })
  if (first.gate === null)
    return [...products('inner', { input: received, output: inner, activation: kind }), ...outer(inner)]
  const gate = temporary('gate', rows, hiddenWidth)
  const hidden = temporary('hidden', rows, hiddenWidth)
  return [
    ...products('inner', { input: received, output: inner }),
    ...products('gate', { input: received, output: gate }),
    loweredOp('elementwise', {
      input: inner,
      second: gate,
      output: hidden,
      activation: kind,
      combine: 'gate',
    }),
    ...outer(hidden),
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

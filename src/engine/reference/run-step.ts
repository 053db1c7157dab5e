/** Runs one step of a plan by its kernels: this is the meaning of each member of the instruction set, in code. */
import { activate } from '../../kernels/activation.js'
import { add } from '../../kernels/add.js'
import { attention, type ChangeScores } from '../../kernels/attention.js'
import { addDecomposedBias } from '../../kernels/decomposed-bias.js'
import { gate } from '../../kernels/gate.js'
import { gatherRows } from '../../kernels/gather-rows.js'
import { layerNorm } from '../../kernels/layer-norm.js'
import { linear } from '../../kernels/linear.js'
import { maxRows } from '../../kernels/max-rows.js'
import { meanRows } from '../../kernels/mean-rows.js'
import { mixExperts } from '../../kernels/mix-experts.js'
import { patchify } from '../../kernels/patchify.js'
import { probeAttention } from '../../kernels/probe-attention.js'
import { addRelativeBias } from '../../kernels/relative-bias.js'
import { rmsNorm } from '../../kernels/rms-norm.js'
import { routeByExperts, routeBySigmoid, routeBySoftmax } from '../../kernels/route-tokens.js'
import { scaleColumns } from '../../kernels/scale-columns.js'
import { combineSlots, dispatchTokens } from '../../kernels/soft-moe.js'
import { turnHeads } from '../../kernels/turn-heads.js'
import type { ConstantName, ExpertLayer, NormWeights, Plan, SlotName, Step, WeightName } from '../plan.js'
import { constantOf, operandShape, rowsAndWidth } from '../plan-lookup.js'
import { handleStep, type StepOf, type StepTable } from '../step-table.js'

/** Holds what a step of one image reads and writes. */
export interface StepContext {
  readonly plan: Plan
  readonly weights: ReadonlyMap<WeightName, Float32Array>
  readonly slots: ReadonlyMap<SlotName, Float32Array>
  /** Is the output slot's memory, which holds zeros. */
  readonly out: Float32Array
}

export function runStep(step: Step, context: StepContext): void {
  handleStep(RUNS, step, new StepRun(context))
}

const RUNS: StepTable<[StepRun], void> = {
  patchify: (step, run) => patchify(run.slot(step.input), step, run.out),
  linear: (step, run) =>
    linear(
      run.slot(step.input),
      run.weight(step.weight),
      step.bias === null ? null : run.weight(step.bias),
      run.size(step.input)[0],
      run.out,
    ),
  assembleTokens,
  norm: (step, run) => run.normalise(step, run.slot(step.input), run.out),
  attention: selfAttention,
  activation: ({ kind, input }, run) => activate(kind, run.slot(input), run.out),
  gate: (step, run) => gate(step.kind, run.slot(step.gate), run.slot(step.value), run.out),
  scale: (step, run) => scaleColumns(run.slot(step.input), run.weight(step.gamma), run.out),
  add: (step, run) => add(run.slot(step.input), run.slot(step.branch), run.out),
  sliceRows: (step, run) => {
    const [, width] = run.size(step.input)
    run.out.set(run.slot(step.input).subarray(step.from * width, step.to * width))
  },
  meanRows: (step, run) => {
    const [groups, width] = run.size(step.output)
    meanRows(run.slot(step.input), run.size(step.input)[0] / groups, width, run.out)
  },
  maxRows: (step, run) => maxRows(run.slot(step.input), run.out),
  broadcast: (step, run) => run.out.set(run.weight(step.weight)),
  stackRows: (step, run) => {
    let first = 0
    for (const input of step.inputs) {
      const rows = run.slot(input)
      run.out.set(rows, first)
      first += rows.length
    }
  },
  gatherRows: (step, run) =>
    gatherRows(run.slot(step.input), run.constant(step.index), run.size(step.input)[1], run.out),
  crossAttention: (step, run) => {
    const [rows, width] = run.size(step.query)
    const [keys] = run.size(step.keyValue)
    const keyValue = { data: run.slot(step.keyValue), rows: keys, stride: 2 * width }
    attention(
      { data: run.slot(step.query), rows, stride: width, offset: 0 },
      { ...keyValue, offset: 0 },
      { ...keyValue, offset: width },
      step.heads,
      width / step.heads,
      step.scale,
      run.out,
    )
  },
  probeAttention: ({ latents, keys, values, heads, scale }, run) =>
    probeAttention(
      run.weight(latents),
      run.slot(keys),
      run.slot(values),
      run.size(keys)[1],
      heads,
      scale,
      run.out,
    ),
  softMoe,
  route,
  routedExperts: (step, run) => {
    const [, count] = run.size(step.routing)
    mixExperts(
      run.slot(step.input),
      run.slot(step.routing),
      count,
      step.scale,
      (expert, rows, rowCount) => answerOf(step, expert, rows, rowCount, run),
      run.out,
    )
  },
}

/** Finds what a step names; what is missing throws by its name. */
class StepRun {
  readonly out: Float32Array
  readonly #context: StepContext

  constructor(context: StepContext) {
    this.out = context.out
    this.#context = context
  }

  slot(name: SlotName | ConstantName): Float32Array {
    return this.#context.slots.get(name) ?? this.constant(name)
  }

  weight(name: WeightName): Float32Array {
    const values = this.#context.weights.get(name)
    if (values === undefined) throw new Error(`The plan names the weight ${name}, which was not loaded.`)
    return values
  }

  constant(name: ConstantName): Float32Array {
    return constantOf(this.#context.plan, name).values
  }

  size(name: SlotName | ConstantName): readonly [rows: number, width: number] {
    return rowsAndWidth(name, operandShape(this.#context.plan, name))
  }

  normalise({ kind, weight, bias, epsilon }: NormWeights, x: Float32Array, out: Float32Array): void {
    if (kind === 'rmsNorm') rmsNorm(x, this.weight(weight), epsilon, out)
    else layerNorm(x, this.weight(weight), bias === null ? null : this.weight(bias), epsilon, out)
  }
}

function assembleTokens(step: StepOf<'assembleTokens'>, run: StepRun): void {
  let first = 0
  for (const name of [step.classToken, step.registers]) {
    if (name === null) continue
    const rows = run.weight(name)
    run.out.set(rows, first)
    first += rows.length
  }
  const patches = run.slot(step.input)
  const target = run.out.subarray(first)
  if (step.positions === null) target.set(patches)
  else add(patches, run.constant(step.positions), target)
}

function selfAttention(step: StepOf<'attention'>, run: StepRun): void {
  const [rows, width] = run.size(step.output)
  const { heads, scale, rotary } = step
  const headWidth = width / heads
  const qkv = run.slot(step.input)
  const part = (index: number, norm: NormWeights | null) => {
    const data = new Float32Array(rows * width)
    for (let r = 0; r < rows; r++) {
      const from = r * 3 * width + index * width
      data.set(qkv.subarray(from, from + width), r * width)
    }
    // A head's width is the norm's width, so the same memory read as [rows * heads, headWidth] is what it needs.
    if (norm !== null) run.normalise(norm, data, data)
    if (rotary !== null && index < 2) turnHeads(data, run.constant(rotary.table), rows, heads, rotary.pairs)
    return data
  }
  const [q, k, v] = [part(0, step.queryNorm), part(1, step.keyNorm), part(2, null)]
  const own = rows / step.groups
  for (let group = 0; group < step.groups; group++) {
    const of = (data: Float32Array) => data.subarray(group * own * width, (group + 1) * own * width)
    const columns = (data: Float32Array) => ({ data: of(data), rows: own, stride: width, offset: 0 })
    const change = changeOfScores(step, run, of(q), group)
    attention(columns(q), columns(k), columns(v), heads, headWidth, scale, of(run.out), change)
  }
}

function changeOfScores(
  step: StepOf<'attention'>,
  run: StepRun,
  queries: Float32Array,
  group: number,
): ChangeScores | null {
  const { bias, mask, heads } = step
  if (bias === null && mask === null) return null
  const [, width] = run.size(step.output)
  const headWidth = width / heads
  const count = mask?.kind === 'keys' ? run.constant(mask.counts)[group] : undefined
  return (scores, head, query) => {
    if (bias?.kind === 'relative') {
      const table = run.constant(bias.table)
      const length = table.length / heads
      const own = table.subarray(head * length, (head + 1) * length)
      addRelativeBias(scores, own, query, bias.rows, bias.columns)
    } else if (bias !== null) {
      const at = query * width + head * headWidth
      const own = queries.subarray(at, at + headWidth)
      addDecomposedBias(scores, own, query, run.constant(bias.rowTable), run.constant(bias.columnTable))
    }
    if (mask !== null) scores.fill(Number.NEGATIVE_INFINITY, count ?? query + 1)
  }
}

function softMoe(step: StepOf<'softMoe'>, run: StepRun): void {
  const x = run.slot(step.input)
  const [tokens, width] = run.size(step.input)
  const slotWeights = run.weight(step.slots)
  const slotCount = slotWeights.length / width
  const perExpert = slotCount / step.experts.length

  const normed = new Float32Array(x.length)
  run.normalise(step.tokenNorm, x, normed)
  const logits = new Float32Array(tokens * slotCount)
  linear(normed, slotWeights, null, tokens, logits)

  const received = new Float32Array(slotCount * width)
  dispatchTokens(logits, x, tokens, received)
  const answered = new Float32Array(slotCount * width)
  for (const [index, expert] of step.experts.entries()) {
    const part = (data: Float32Array) =>
      data.subarray(index * perExpert * width, (index + 1) * perExpert * width)
    const bias1 = run.weight(expert.bias1)
    const hidden = new Float32Array(perExpert * bias1.length)
    linear(part(received), run.weight(expert.weight1), bias1, perExpert, hidden)
    activate(step.kind, hidden, hidden)
    linear(hidden, run.weight(expert.weight2), run.weight(expert.bias2), perExpert, part(answered))
  }
  combineSlots(logits, answered, tokens, run.out)
}

function route({ input, gate: weight, firstRow, choice }: StepOf<'route'>, run: StepRun): void {
  const [rows, width] = run.size(input)
  const matrix = run.weight(weight)
  const experts = matrix.length / width
  const scores = new Float32Array((rows - firstRow) * experts)
  linear(run.slot(input).subarray(firstRow * width), matrix, null, rows - firstRow, scores)
  const out = run.out.subarray(firstRow * experts)
  if (choice.kind === 'sigmoid') routeBySigmoid(scores, run.weight(choice.bias), choice.choices, out)
  else if (choice.kind === 'softmax') routeBySoftmax(scores, experts, choice.choices, choice.capacity, out)
  else routeByExperts(scores, experts, choice.capacity, out)
}

function answerOf(
  { experts, kind }: StepOf<'routedExperts'>,
  expert: number,
  x: Float32Array,
  rows: number,
  run: StepRun,
): Float32Array {
  const own = experts[expert]
  if (own === undefined) throw new Error(`The plan has no expert ${expert}.`)
  const layer = (input: Float32Array, { weight, bias }: ExpertLayer): Float32Array => {
    const matrix = run.weight(weight)
    const out = new Float32Array((rows * matrix.length * rows) / input.length)
    linear(input, matrix, bias === null ? null : run.weight(bias), rows, out)
    return out
  }
  const hidden = layer(x, own.inner)
  if (own.gate === null) activate(kind, hidden, hidden)
  else gate(kind, layer(x, own.gate), hidden, hidden)
  return layer(hidden, own.outer)
}

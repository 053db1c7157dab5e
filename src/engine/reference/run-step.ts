/** Runs one step of a plan by its kernels: this is the meaning of each member of the instruction set, in code. */
import { activate } from '../../kernels/activation.js'
import { add } from '../../kernels/add.js'
import { attention, type ChangeScores, type Columns, weighKeys } from '../../kernels/attention.js'
import { attentionWeights } from '../../kernels/attention-weights.js'
import { conv2d, transposedConv2d } from '../../kernels/conv2d.js'
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
import { resampleTable, tapsOfTable } from '../../kernels/resample-table.js'
import { rmsNorm } from '../../kernels/rms-norm.js'
import { routeByExperts, routeBySigmoid, routeBySoftmax } from '../../kernels/route-tokens.js'
import { scaleColumns } from '../../kernels/scale-columns.js'
import { combineSlots, dispatchTokens } from '../../kernels/soft-moe.js'
import { rowOfId } from '../../kernels/take-row.js'
import { turnHeads } from '../../kernels/turn-heads.js'
import type {
  ChosenHeads,
  ConstantName,
  ExpertLayer,
  NormWeights,
  Plan,
  SelfAttention,
  SlotName,
  Step,
  WeightName,
} from '../plan.js'
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
    linear(run.slot(step.input), run.weight(step.weight), run.bias(step), run.size(step.input)[0], run.out),
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
  takeRow: ({ input, ids, choice }, run) => {
    const row = rowOfId(run.slot(ids), choice.kind === 'first' ? choice.id : 'largest')
    const width = run.out.length
    run.out.set(run.slot(input).subarray(row * width, (row + 1) * width))
  },
  conv2d: (step, run) => conv2d(run.slot(step.input), run.weight(step.weight), run.bias(step), step, run.out),
  transposedConv2d: (step, run) =>
    transposedConv2d(run.slot(step.input), run.weight(step.weight), run.bias(step), step, run.out),
  resize: ({ input, height, width, rows, columns }, run) => {
    const taps = (name: ConstantName) => tapsOfTable(run.constant(name), run.size(name)[1] / 2)
    run.out.set(resampleTable(run.slot(input), [height, width], taps(rows), taps(columns)))
  },
  crossAttention: (step, run) => {
    const { query, key, value, headWidth } = crossOperands(step, run)
    attention(query, key, value, step.heads, headWidth, step.scale, run.out)
  },
  attentionWeights: (step, run) => {
    const { queries, keys, headWidth, change } = selfOperands(step, run)
    const rows = step.rows === null ? upTo(run.size(step.input)[0]) : run.constant(step.rows)
    const own = run.size(step.input)[0] / step.groups
    const weightsOf = (head: number, row: number, weights: Float64Array) => {
      const group = Math.floor(row / own)
      const [query, key] = [queries(group), keys(group)]
      weighKeys(query, key, head, headWidth, step.scale, row % own, weights, change(group))
    }
    attentionWeights(weightsOf, chosenHeads(step, run), rows, step.fusion, run.out)
  },
  crossAttentionWeights: (step, run) => {
    const { query, key, headWidth } = crossOperands(step, run)
    const weightsOf = (head: number, row: number, weights: Float64Array) =>
      weighKeys(query, key, head, headWidth, step.scale, row, weights, null)
    attentionWeights(weightsOf, chosenHeads(step, run), upTo(query.rows), step.fusion, run.out)
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

  bias({ bias }: { readonly bias: WeightName | null }): Float32Array | null {
    return bias === null ? null : this.weight(bias)
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

function upTo(count: number): Float32Array {
  return Float32Array.from({ length: count }, (_, index) => index)
}

function chosenHeads({ chosen, heads }: ChosenHeads & { readonly heads: number }, run: StepRun) {
  return chosen === null ? upTo(heads) : run.constant(chosen)
}

function crossOperands(step: StepOf<'crossAttention' | 'crossAttentionWeights'>, run: StepRun) {
  const [rows, width] = run.size(step.query)
  const keyValue = {
    data: run.slot(step.keyValue),
    rows: run.size(step.keyValue)[0],
    stride: 2 * width,
  }
  return {
    query: { data: run.slot(step.query), rows, stride: width, offset: 0 },
    key: { ...keyValue, offset: 0 },
    value: { ...keyValue, offset: width },
    headWidth: width / step.heads,
  }
}

function selfAttention(step: StepOf<'attention'>, run: StepRun): void {
  const { queries, keys, values, headWidth, change } = selfOperands(step, run)
  const length = run.out.length / step.groups
  for (let group = 0; group < step.groups; group++) {
    const out = run.out.subarray(group * length, (group + 1) * length)
    const [query, key, value] = [queries(group), keys(group), values(group)]
    attention(query, key, value, step.heads, headWidth, step.scale, out, change(group))
  }
}

/** Gives queries, keys and values of each group, normed and turned, and what changes its scores. */
function selfOperands(step: SelfAttention, run: StepRun) {
  const [rows, three] = run.size(step.input)
  const width = three / 3
  const { heads, rotary } = step
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
    const own = rows / step.groups
    const columns = { rows: own, stride: width, offset: 0 }
    return (group: number): Columns => ({
      ...columns,
      data: data.subarray(group * own * width, (group + 1) * own * width),
    })
  }
  const queries = part(0, step.queryNorm)
  return {
    queries,
    keys: part(1, step.keyNorm),
    values: part(2, null),
    headWidth: width / heads,
    change: (group: number) => changeOfScores(step, run, queries(group), group),
  }
}

function changeOfScores(
  { bias, mask, heads }: SelfAttention,
  run: StepRun,
  queries: Columns,
  group: number,
): ChangeScores | null {
  if (bias === null && mask === null) return null
  const width = queries.stride
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
      const own = queries.data.subarray(at, at + headWidth)
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

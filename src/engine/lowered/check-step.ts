/**
 * Tells whether a step's slots and weights fit each other. The kernels trust sizes: a plan that contradicts itself must fail here, by name,
 * and not by reading past the end of something.
 */

import { placesOf } from '../../kernels/patchify.js'
import { elementCount, type Shape, sameShape } from '../../tensor/shape.js'
import { EngineError } from '../engine-error.js'
import type { ConstantName, NormWeights, Plan, SelfAttention, SlotName, Step, WeightName } from '../plan.js'
import { constantOf, operandShape, rowsAndWidth, weightShape } from '../plan-lookup.js'
import { handleStep, type StepOf, type StepTable } from '../step-table.js'

/** Throws `unsupported` naming the step and what does not fit. */
export function checkStep(step: Step, plan: Plan): void {
  handleStep(CHECKS, step, new StepCheck(step, plan))
}

const CHECKS: StepTable<[StepCheck], void> = {
  patchify: (step, check) => check.patchify(step),
  linear: (step, check) => {
    const [rows, depth] = check.slot(step.input)
    const [outRows, columns] = check.slot(step.output)
    check.same('rows', rows, outRows)
    check.weight(step.weight, [columns, depth])
    check.vector(step.bias, columns)
  },
  assembleTokens: (step, check) => {
    const [rows, width] = check.slot(step.input)
    const [outRows, outWidth] = check.slot(step.output)
    check.same('width', width, outWidth)
    const registers = step.registers === null ? 0 : check.rowsOf(step.registers, width)
    const head = step.classToken === null ? 0 : check.rowsOf(step.classToken, width)
    check.same('rows of the class token', head, step.classToken === null ? 0 : 1)
    check.same('rows', rows + registers + head, outRows)
    check.constant(step.positions, [rows, width])
  },
  norm: (step, check) => {
    check.sameSize(step.input, step.output)
    check.norm(step, check.slot(step.output)[1])
  },
  attention: (step, check) => {
    const [rows, width] = check.slot(step.output)
    check.attention(step, rows, width)
  },
  attentionWeights: (step, check) => {
    const [rows, three] = check.slot(step.input)
    check.divides('operands', 3, three)
    check.attention(step, rows, three / 3)
    check.weights(step, check.picked(step.rows, rows), rows / step.groups)
  },
  activation: (step, check) => check.sameSize(step.input, step.output),
  gate: (step, check) => {
    check.sameSize(step.gate, step.output)
    check.sameSize(step.value, step.output)
  },
  scale: (step, check) => {
    check.sameSize(step.input, step.output)
    check.vector(step.gamma, check.slot(step.output)[1])
  },
  add: (step, check) => {
    check.sameSize(step.input, step.output)
    check.sameSize(step.branch, step.output)
  },
  sliceRows: (step, check) => {
    const [rows, width] = check.slot(step.input)
    const [outRows, outWidth] = check.slot(step.output)
    check.same('width', width, outWidth)
    check.same('rows', step.to - step.from, outRows)
    check.that(step.from >= 0 && step.to <= rows, `rows ${step.from} to ${step.to} of ${rows}`)
  },
  meanRows: (step, check) => {
    const [rows, width] = check.slot(step.input)
    const [groups, outWidth] = check.slot(step.output)
    check.same('width', outWidth, width)
    check.divides('groups', groups, rows)
  },
  maxRows: (step, check) => check.pooled(step.input, step.output),
  broadcast: (step, check) => check.weight(step.weight, check.slot(step.output)),
  stackRows: (step, check) => {
    const [outRows, outWidth] = check.slot(step.output)
    check.divides('inputs', step.inputs.length, outRows)
    for (const [rows, width] of step.inputs.map((input) => check.slot(input))) {
      check.same('width', width, outWidth)
      check.same('rows', rows, outRows / step.inputs.length)
    }
  },
  gatherRows: (step, check) => {
    const [rows, width] = check.slot(step.input)
    const [outRows, outWidth] = check.slot(step.output)
    check.same('width', outWidth, width)
    check.wholeNumbers(step.index, [outRows, 1], -1, rows - 1)
  },
  crossAttention: (step, check) => {
    check.sameSize(step.query, step.output)
    check.crossAttention(step)
  },
  crossAttentionWeights: (step, check) => {
    check.crossAttention(step)
    check.weights(step, check.slot(step.query)[0], check.slot(step.keyValue)[0])
  },
  probeAttention: (step, check) => {
    const [rows, width] = check.slot(step.output)
    check.same('rows', rows, 1)
    check.sameSize(step.keys, step.values)
    check.same('width', check.slot(step.keys)[1], width)
    check.divides('heads', step.heads, width)
    check.divides('latents', check.rowsOf(step.latents, width), width)
  },
  softMoe: (step, check) => {
    const [, width] = check.slot(step.output)
    check.sameSize(step.input, step.output)
    check.norm(step.tokenNorm, width)
    check.divides('experts', step.experts.length, check.rowsOf(step.slots, width))
    const hidden = check.rowsOf(step.experts.map(({ weight1 }) => weight1).at(0), width)
    for (const expert of step.experts) {
      check.weight(expert.weight1, [hidden, width])
      check.vector(expert.bias1, hidden)
      check.weight(expert.weight2, [width, hidden])
      check.vector(expert.bias2, width)
    }
  },
  route: (step, check) => check.route(step),
  routedExperts: (step, check) => check.routedExperts(step),
}

class StepCheck {
  readonly #step: Step
  readonly #plan: Plan

  constructor(step: Step, plan: Plan) {
    this.#step = step
    this.#plan = plan
  }

  that(holds: boolean, what: string): void {
    if (!holds) throw this.#contradiction(what)
  }

  #contradiction(what: string): EngineError {
    return new EngineError(
      'unsupported',
      `The plan contradicts itself at ${this.#step.output} (${this.#step.op}): ${what}.`,
    )
  }

  same(what: string, found: number, expected: number): void {
    this.that(found === expected, `${what}: ${found}, expected ${expected}`)
  }

  divides(what: string, count: number, width: number): void {
    this.that(count > 0 && width % count === 0, `${count} ${what} do not divide ${width}`)
  }

  /** Takes a slot, or a constant that stands for one. */
  slot(name: SlotName | ConstantName): readonly [rows: number, width: number] {
    const shape = operandShape(this.#plan, name)
    const [rows, width, ...more] = shape
    if (rows === undefined || width === undefined || more.length > 0) {
      throw this.#contradiction(`slot ${name} should be [rows, width], it is [${shape.join(', ')}]`)
    }
    const isWhole = [rows, width].every((size) => Number.isInteger(size) && size > 0)
    this.that(isWhole, `slot ${name} is empty`)
    return [rows, width]
  }

  sameSize(a: SlotName, b: SlotName): void {
    const [rows, width] = this.slot(a)
    const [otherRows, otherWidth] = this.slot(b)
    this.that(
      rows === otherRows && width === otherWidth,
      `${a} is [${rows}, ${width}], ${b} is [${otherRows}, ${otherWidth}]`,
    )
  }

  /** All rows become one. */
  pooled(input: SlotName, output: SlotName): void {
    const [rows, width] = this.slot(output)
    this.same('rows', rows, 1)
    this.same('width', this.slot(input)[1], width)
  }

  weight(name: WeightName, shape: Shape): void {
    const found = weightShape(this.#plan, name)
    this.that(
      sameShape(found, shape),
      `weight ${name} is [${found.join(', ')}], expected [${shape.join(', ')}]`,
    )
  }

  vector(name: WeightName | null, width: number): void {
    if (name !== null) this.weight(name, [width])
  }

  constant(name: ConstantName | null, expected: Shape): void {
    if (name === null) return
    const { shape, values } = constantOf(this.#plan, name)
    this.that(
      sameShape(shape, expected),
      `constant ${name} is [${shape.join(', ')}], expected [${expected.join(', ')}]`,
    )
    this.same(`values of the constant ${name}`, values.length, elementCount(shape))
  }

  rowsOf(name: WeightName | undefined, width: number): number {
    if (name === undefined) throw this.#contradiction('it names no weight')
    const rows = elementCount(weightShape(this.#plan, name)) / width
    this.that(Number.isInteger(rows) && rows > 0, `weight ${name} is no table of rows of ${width}`)
    return rows
  }

  norm(norm: NormWeights | null, width: number): void {
    if (norm === null) return
    this.vector(norm.weight, width)
    this.vector(norm.bias, width)
  }

  /** Engines take room for as many rows of experts as a choice can make. */
  route({ input, output, gate, firstRow, choice }: StepOf<'route'>): void {
    const [rows, width] = this.slot(input)
    const [outRows, experts] = this.slot(output)
    this.same('rows', rows, outRows)
    this.weight(gate, [experts, width])
    const within = (what: string, count: number, least: number, most: number) =>
      this.that(
        Number.isInteger(count) && count >= least && count <= most,
        `${what}: ${count}, expected ${least} to ${most}`,
      )
    within('first row', firstRow, 0, rows - 1)
    if (choice.kind === 'sigmoid') this.vector(choice.bias, experts)
    if (choice.kind !== 'byExperts') within('choices', choice.choices, 1, experts)
    if (choice.kind === 'softmax') within('capacity', choice.capacity, 1, Number.MAX_SAFE_INTEGER)
    if (choice.kind === 'byExperts') within('capacity', choice.capacity, 1, rows - firstRow)
  }

  routedExperts({ input, output, routing, experts }: StepOf<'routedExperts'>): void {
    const [rows, width] = this.slot(input)
    this.sameSize(input, output)
    const [outRows, count] = this.slot(routing)
    this.same('rows of the routing', outRows, rows)
    this.same('experts', experts.length, count)
    const isRouted = this.#plan.steps.some((step) => step.op === 'route' && step.output === routing)
    this.that(isRouted, `no step routes to ${routing}`)
    const hidden = this.rowsOf(experts.map(({ inner }) => inner.weight).at(0), width)
    for (const { inner, gate, outer } of experts) {
      this.that((gate === null) === (experts[0]?.gate === null), 'some experts are gated and some are not')
      for (const layer of [inner, gate]) {
        if (layer === null) continue
        this.weight(layer.weight, [hidden, width])
        this.vector(layer.bias, hidden)
      }
      this.weight(outer.weight, [width, hidden])
      this.vector(outer.bias, width)
    }
  }

  /** Tables of turning, bias and mask must be as large as kernels take them to be. */
  attention(step: SelfAttention, rows: number, width: number): void {
    const { input, queryNorm, keyNorm, rotary, mask, heads, groups } = step
    const [inRows, three] = this.slot(input)
    this.same('rows', inRows, rows)
    this.same('width of q, k and v', three, 3 * width)
    this.divides('heads', heads, width)
    this.divides('groups', groups, rows)
    const headWidth = width / heads
    this.norm(queryNorm, headWidth)
    this.norm(keyNorm, headWidth)
    if (rotary !== null) {
      const { shape } = constantOf(this.#plan, rotary.table)
      const tables = shape[1] === 2 * headWidth ? 1 : heads
      this.that(headWidth % 2 === 0, `heads of ${headWidth} columns make no pairs`)
      this.constant(rotary.table, [rows, tables * 2 * headWidth])
    }
    this.#attentionBias(step, rows / groups, headWidth)
    if (mask?.kind === 'keys') this.wholeNumbers(mask.counts, [groups, 1], 1, rows / groups)
  }

  #attentionBias({ bias, heads }: SelfAttention, own: number, headWidth: number): void {
    if (bias === null) return
    const cells = bias.rows * bias.columns
    this.that(cells > 0 && cells <= own, `a grid of ${bias.rows} x ${bias.columns} among ${own} rows`)
    if (bias.kind === 'relative') {
      this.constant(bias.table, [heads, (2 * bias.rows - 1) * (2 * bias.columns - 1) + 3])
      return
    }
    this.same('rows of the grid', cells, own)
    this.constant(bias.rowTable, [2 * bias.rows - 1, headWidth])
    this.constant(bias.columnTable, [2 * bias.columns - 1, headWidth])
  }

  crossAttention({ query, keyValue, heads }: StepOf<'crossAttention' | 'crossAttentionWeights'>): void {
    const [, width] = this.slot(query)
    const [keys, two] = this.slot(keyValue)
    this.same('width of k and v', two, 2 * width)
    this.that(keys > 0, 'no keys')
    this.divides('heads', heads, width)
  }

  /** Gives how many of `count` things a constant picks, or all of them where there is none. */
  picked(name: ConstantName | null, count: number): number {
    if (name === null) return count
    const [length] = rowsAndWidth(name, constantOf(this.#plan, name).shape)
    this.wholeNumbers(name, [length, 1], 0, count - 1)
    return length
  }

  weights(step: StepOf<'attentionWeights' | 'crossAttentionWeights'>, rows: number, keys: number): void {
    const heads = this.picked(step.chosen, step.heads)
    const [outRows, outKeys] = this.slot(step.output)
    this.same('rows of weights', outRows, step.fusion === 'none' ? heads * rows : rows)
    this.same('keys', outKeys, keys)
  }

  /** Kernels take the numbers of such a constant for places in memory. */
  wholeNumbers(name: ConstantName, shape: Shape, least: number, most: number): void {
    this.constant(name, shape)
    const wrong = constantOf(this.#plan, name).values.find(
      (value) => !(Number.isInteger(value) && value >= least && value <= most),
    )
    this.that(wrong === undefined, `constant ${name} holds ${wrong}, expected ${least} to ${most}`)
  }

  patchify(step: StepOf<'patchify'>): void {
    const { channels, height, width, patch, stride } = step
    const [rows, columns] = this.slot(step.output)
    this.that(Number.isInteger(stride) && stride > 0, `a stride of ${stride} pixels`)
    this.same('rows', rows, placesOf(height, patch, stride) * placesOf(width, patch, stride))
    this.same('width', columns, channels * patch * patch)
    const pixels = elementCount(operandShape(this.#plan, step.input))
    this.same('values of the input', pixels, channels * height * width)
    if (step.layout === 'rows') this.same('channels', this.slot(step.input)[1], channels)
    else this.that(step.input === this.#plan.input, 'planes are cut from the input only')
  }
}

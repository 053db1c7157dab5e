/** Holds what the checks of steps are made of: each question that one asks of a plan, answered by an error that names the step where it does not hold. */
import { placesOf } from '../../kernels/patchify.js'
import { elementCount, type Shape, sameShape } from '../../tensor/shape.js'
import { EngineError } from '../engine-error.js'
import type {
  ConstantName,
  KernelPass,
  NormWeights,
  Plan,
  SelfAttention,
  SlotName,
  Step,
  WeightName,
} from '../plan.js'
import { constantOf, isInput, operandShape, rowsAndWidth, weightShape } from '../plan-lookup.js'
import type { StepOf } from '../step-table.js'

function isWholeWithin(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most
}

export class StepCheck {
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
    this.wholeNumber('first row', firstRow, 0, rows - 1)
    if (choice.kind === 'sigmoid') this.vector(choice.bias, experts)
    if (choice.kind !== 'byExperts') this.wholeNumber('choices', choice.choices, 1, experts)
    if (choice.kind === 'softmax') this.wholeNumber('capacity', choice.capacity, 1, Number.MAX_SAFE_INTEGER)
    if (choice.kind === 'byExperts') this.wholeNumber('capacity', choice.capacity, 1, rows - firstRow)
  }

  wholeNumber(what: string, count: number, least: number, most: number): void {
    this.that(isWholeWithin(count, least, most), `${what}: ${count}, expected ${least} to ${most}`)
  }

  /** A kernel that is larger than the picture with its zeros has no place; one that lies on zeros alone tells of a mistake. */
  pass({ height, width, kernel, stride, padding }: KernelPass, pixels: number, places: number): void {
    this.same('pixels', pixels, height * width)
    this.wholeNumber('padding', padding, 0, Math.max(kernel - 1, 0))
    this.wholeNumber('kernel', kernel, 1, Math.min(height, width) + 2 * padding)
    this.wholeNumber('stride', stride, 1, Number.MAX_SAFE_INTEGER)
    const along = (side: number) => placesOf(side + 2 * padding, kernel, stride)
    this.same('places of the kernel', places, along(height) * along(width))
  }

  /** Gives how many rows a table of taps makes, and of how many each. */
  taps(name: ConstantName, side: number): readonly [rows: number, taps: number] {
    const [rows, twice] = rowsAndWidth(name, constantOf(this.#plan, name).shape)
    this.divides('parts', 2, twice)
    const { values } = constantOf(this.#plan, name)
    this.constant(name, [rows, twice])
    const taps = twice / 2
    const wrong = values.find((value, i) => i % twice < taps && !isWholeWithin(value, 0, side - 1))
    this.that(wrong === undefined, `constant ${name} holds ${wrong}, expected 0 to ${side - 1}`)
    return [rows, taps]
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
    const wrong = constantOf(this.#plan, name).values.find((value) => !isWholeWithin(value, least, most))
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
    else this.that(isInput(this.#plan, step.input), 'planes are cut from an input only')
  }
}

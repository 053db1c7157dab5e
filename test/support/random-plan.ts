/** Makes small plans at random, of every kind of step, for properties that must hold for any of them. */
import fc from 'fast-check'
import type { Constant, NormWeights, Plan, RoutedExpert, SlotName, Step } from '../../src/engine/plan.js'
import type { Shape } from '../../src/tensor/shape.js'

export interface RandomPlan {
  readonly plan: Plan
  /** Names some of its slots, the last one among them; none twice. */
  readonly outputs: readonly SlotName[]
}

const WIDTHS = [8, 32, 48, 96]
const ACTIVATIONS = ['relu', 'gelu', 'celu', 'silu'] as const

/** Says what a drawn number stands for. */
const ELEMENTWISE = ['linear', 'activation', 'gate', 'scale', 'add', 'addConstant'] as const
const EVERY = [
  ...ELEMENTWISE,
  'norm',
  'attention',
  'normedAttention',
  'turnedAttention',
  'sliceRows',
  'meanRows',
  'gatherRows',
  'takeRow',
  'conv2d',
  'transposedConv2d',
  'resize',
  'stackRows',
  'maxRows',
  'broadcast',
  'crossAttention',
  'attentionWeights',
  'crossAttentionWeights',
  'probeAttention',
  'softMoe',
  'routedExperts',
] as const
type Choice = (typeof EVERY)[number]

interface Draw {
  readonly choice: Choice
  readonly from: number
  readonly other: number
  readonly width: number
  readonly kind: (typeof ACTIVATIONS)[number]
}

/** @param kinds `elementwise`: what may be fused alone; `every`: each kind of step but those that cut pixels */
export function randomPlan(kinds: 'elementwise' | 'every'): fc.Arbitrary<RandomPlan> {
  const draw = fc.record<Draw>({
    choice: fc.constantFrom(...(kinds === 'every' ? EVERY : ELEMENTWISE)),
    from: fc.nat(20),
    other: fc.nat(20),
    width: fc.constantFrom(...WIDTHS),
    kind: fc.constantFrom(...ACTIVATIONS),
  })
  return fc
    .record({
      draws: fc.array(draw, { minLength: 1, maxLength: 12 }),
      rows: fc.constantFrom(1, 4, 6),
      width: fc.constantFrom(...WIDTHS),
      asked: fc.array(fc.nat(20), { maxLength: 3 }),
    })
    .map(({ draws, rows, width, asked }) => {
      const builder = new Builder(rows, width)
      for (const one of draws) builder.add(one)
      const plan = builder.plan()
      const slots = [...plan.slots.keys()]
      const outputs = new Set([...asked.map((index) => at(slots, index)), slots.at(-1) ?? 'x'])
      return { plan, outputs: [...outputs] }
    })
}

function at<T>(list: readonly T[], index: number): T {
  const found = list[index % list.length]
  if (found === undefined) throw new Error('an empty list')
  return found
}

class Builder {
  readonly #slots = new Map<SlotName, readonly [rows: number, width: number]>()
  readonly #weights = new Map<string, Shape>()
  readonly #constants = new Map<string, Constant>()
  readonly #steps: Step[] = []

  constructor(rows: number, width: number) {
    this.#slots.set('x', [rows, width])
  }

  plan(): Plan {
    const [slots, weights, constants, steps] = [this.#slots, this.#weights, this.#constants, this.#steps]
    return { inputs: [{ kind: 'pixels', slot: 'x' }], slots, weights, constants, steps }
  }

  add({ choice, from, other, width, kind }: Draw): void {
    // Weights of attention are as wide as there are keys, which no heads share.
    const slots = [...this.#slots].filter(([, [, columns]]) => columns % 8 === 0)
    const [input, [rows, inWidth]] = at(slots, from)
    const same = [...this.#slots].filter(([, [r, w]]) => r === rows && w === inWidth)
    const [second] = at(same, other)
    const size = [rows, inWidth] as const
    switch (choice) {
      case 'linear':
        this.#linear(input, rows, inWidth, width)
        return
      case 'activation':
        this.#step(size, (output) => ({ op: 'activation', input, output, kind }))
        return
      case 'gate':
        this.#step(size, (output) => ({ op: 'gate', gate: input, value: second, output, kind }))
        return
      case 'scale':
        this.#step(size, (output) => ({ op: 'scale', input, output, gamma: this.#weight([inWidth]) }))
        return
      case 'add':
        this.#step(size, (output) => ({ op: 'add', input, branch: second, output }))
        return
      case 'addConstant': {
        const branch = this.#constant(size)
        this.#step(size, (output) => ({ op: 'add', input, branch, output }))
        return
      }
      case 'norm':
        this.#step(size, (output) => ({ op: 'norm', input, output, ...this.#norm(inWidth) }))
        return
      case 'attention':
      case 'normedAttention':
      case 'turnedAttention': {
        const qkv = this.#linear(input, rows, inWidth, 3 * width)
        const norm = choice === 'normedAttention' ? this.#norm(width / 2) : null
        const table = choice === 'turnedAttention' ? this.#constant([rows, width]) : null
        this.#step([rows, width], (output) => ({
          op: 'attention',
          input: qkv,
          output,
          heads: 2,
          scale: 0.5,
          queryNorm: norm,
          keyNorm: null,
          rotary: table === null ? null : { table, pairs: 'halves' },
          bias: null,
          mask: null,
          groups: 1,
        }))
        return
      }
      case 'sliceRows': {
        const to = Math.max(1, rows - 1)
        this.#step([to, inWidth], (output) => ({ op: 'sliceRows', input, output, from: 0, to }))
        return
      }
      case 'maxRows':
        this.#step([1, inWidth], (output) => ({ op: 'maxRows', input, output }))
        return
      case 'meanRows':
        this.#step([1, inWidth], (output) => ({ op: 'meanRows', input, output }))
        return
      case 'gatherRows': {
        const index = `index ${this.#constants.size}`
        this.#constants.set(index, { shape: [2, 1], values: Float32Array.of(rows - 1, -1) })
        this.#step([2, inWidth], (output) => ({ op: 'gatherRows', input, output, index }))
        return
      }
      case 'takeRow': {
        const ids = this.#linear(input, rows, inWidth, 1)
        const choice = kind === 'relu' ? ({ kind: 'first', id: 3 } as const) : ({ kind: 'largest' } as const)
        this.#step([1, inWidth], (output) => ({ op: 'takeRow', input, ids, output, choice }))
        return
      }
      case 'conv2d': {
        const weight = this.#weight([width, 9 * inWidth])
        const pass = { height: rows, width: 1, kernel: 3, stride: 1, padding: 1 } as const
        const bias = kind === 'relu' ? null : this.#weight([width])
        this.#step([rows, width], (output) => ({ op: 'conv2d', input, output, weight, bias, ...pass }))
        return
      }
      case 'transposedConv2d': {
        const weight = this.#weight([4 * width, inWidth])
        const pass = { height: 2 * rows, width: 2, kernel: 2, stride: 2, padding: 0 } as const
        const bias = this.#weight([width])
        this.#step([4 * rows, width], (output) => ({
          op: 'transposedConv2d',
          input,
          output,
          weight,
          bias,
          ...pass,
        }))
        return
      }
      case 'resize': {
        const table = `taps ${this.#constants.size}`
        this.#constants.set(table, { shape: [2, 2], values: Float32Array.of(0, 1, rows - 1, 1) })
        const columns = `taps ${this.#constants.size}`
        this.#constants.set(columns, { shape: [1, 2], values: Float32Array.of(0, 1) })
        this.#step([2, inWidth], (output) => ({
          op: 'resize',
          input,
          output,
          height: rows,
          width: 1,
          rows: table,
          columns,
        }))
        return
      }
      case 'stackRows':
        this.#step([2 * rows, inWidth], (output) => ({ op: 'stackRows', inputs: [input, second], output }))
        return
      case 'broadcast':
        this.#step([2, width], (output) => ({ op: 'broadcast', output, weight: this.#weight([2, width]) }))
        return
      case 'crossAttention': {
        const keyValue = this.#linear(input, rows, inWidth, 2 * inWidth)
        this.#step(size, (output) => ({
          op: 'crossAttention',
          query: second,
          keyValue,
          output,
          heads: 2,
          scale: 0.5,
        }))
        return
      }
      case 'attentionWeights': {
        const qkv = this.#linear(input, rows, inWidth, 3 * width)
        this.#step([rows, rows], (output) => ({
          op: 'attentionWeights',
          input: qkv,
          output,
          heads: 2,
          scale: 0.5,
          queryNorm: null,
          keyNorm: null,
          rotary: null,
          bias: null,
          mask: null,
          groups: 1,
          rows: null,
          chosen: null,
          fusion: 'mean',
        }))
        return
      }
      case 'crossAttentionWeights': {
        const keyValue = this.#linear(input, rows, inWidth, 2 * inWidth)
        const heads = 2
        this.#step([heads * rows, rows], (output) => ({
          op: 'crossAttentionWeights',
          query: second,
          keyValue,
          output,
          heads,
          scale: 0.5,
          chosen: null,
          fusion: 'none',
        }))
        return
      }
      case 'probeAttention':
        this.#step([1, inWidth], (output) => ({
          op: 'probeAttention',
          latents: this.#weight([2, inWidth]),
          keys: input,
          values: second,
          output,
          heads: 2,
          scale: 0.5,
        }))
        return
      case 'softMoe':
        this.#step(size, (output) => ({
          op: 'softMoe',
          input,
          output,
          tokenNorm: this.#norm(inWidth),
          slots: this.#weight([4, inWidth]),
          experts: [this.#expert(inWidth), this.#expert(inWidth)],
          kind,
        }))
        return
      case 'routedExperts': {
        const routing = this.#step([rows, 8], (output) => ({
          op: 'route',
          input,
          output,
          gate: this.#weight([8, inWidth]),
          firstRow: rows - 1,
          choice: { kind: 'softmax', choices: 2, capacity: 4 },
        }))
        this.#step(size, (output) => ({
          op: 'routedExperts',
          input,
          routing,
          output,
          experts: Array.from({ length: 8 }, () => this.#routedExpert(inWidth, kind === 'silu')),
          kind,
          scale: 1,
        }))
        return
      }
      default:
        choice satisfies never
    }
  }

  #step(shape: readonly [number, number], make: (output: SlotName) => Step): SlotName {
    const output = `y${this.#steps.length}`
    this.#steps.push(make(output))
    this.#slots.set(output, shape)
    return output
  }

  #constant(shape: readonly [number, number]): string {
    const name = `table ${this.#constants.size}`
    this.#constants.set(name, { shape, values: new Float32Array(shape[0] * shape[1]).fill(0.25) })
    return name
  }

  #linear(input: SlotName, rows: number, depth: number, columns: number): SlotName {
    const [weight, bias] = [this.#weight([columns, depth]), this.#weight([columns])]
    return this.#step([rows, columns], (output) => ({ op: 'linear', input, output, weight, bias }))
  }

  #norm(width: number): NormWeights {
    return { kind: 'layerNorm', weight: this.#weight([width]), bias: this.#weight([width]), epsilon: 1e-6 }
  }

  #expert(width: number) {
    return {
      weight1: this.#weight([16, width]),
      bias1: this.#weight([16]),
      weight2: this.#weight([width, 16]),
      bias2: this.#weight([width]),
    }
  }

  #routedExpert(width: number, isGated: boolean): RoutedExpert {
    const inner = () => ({ weight: this.#weight([16, width]), bias: this.#weight([16]) })
    const outer = { weight: this.#weight([width, 16]), bias: null }
    return { inner: inner(), gate: isGated ? inner() : null, outer }
  }

  #weight(shape: Shape): string {
    const name = `w${this.#weights.size}`
    this.#weights.set(name, shape)
    return name
  }
}

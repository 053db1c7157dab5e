/** Makes plans of one step each, at any size, on which the engines are compared. Inputs and weights are pseudo-random, the same every time. */
import type { WeightSource } from '../../src/engine/engine.js'
import type { Constant, NormWeights, Plan, SlotName, Step } from '../../src/engine/plan.js'
import { elementCount, type Shape } from '../../src/tensor/shape.js'

export interface StepPlan {
  readonly plan: Plan
  readonly output: SlotName
}

/** Draws uniformly from [-1, 1) with a 32-bit xorshift. */
export function pseudoRandom(length: number, seed: number): Float32Array<ArrayBuffer> {
  const out = new Float32Array(length)
  let state = (Math.imul(seed + 1, 2654435761) ^ 0x9e3779b9) | 0 || 1
  for (let i = 0; i < length; i++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    out[i] = state / 2 ** 31
  }
  return out
}

/** Gives weights by name: matrices are scaled so that activations keep their size, norm weights are near 1. */
export const weights: WeightSource = {
  read: async (name, shape) => {
    let seed = 0
    for (const letter of name) seed = (Math.imul(seed, 31) + letter.charCodeAt(0)) | 0
    const [rows = 1, columns = 1] = shape
    const scale = shape.length === 2 && rows > 1 ? 1.7 / Math.sqrt(columns) : 1
    const around = /norm|gamma/i.test(name) && !name.endsWith('bias') ? 1 : 0
    const values = pseudoRandom(elementCount(shape), seed)
    const spread = around === 1 ? 0.3 : scale
    // Large networks have many: `map` with a function takes ten times as long.
    for (let i = 0; i < values.length; i++) values[i] = around + (values[i] ?? Number.NaN) * spread
    return values
  },
  readRows: async (name, [rows = 0, columns = 0], asked) => {
    const table = await weights.read(name, [rows, columns])
    const found = asked.map((row) => table.subarray(row * columns, (row + 1) * columns))
    return Float32Array.from(found.flatMap((values) => Array.from(values)))
  },
}

/** Stacks `depth` layers of `width` x `width` on `rows` rows. */
export function tower(depth: number, rows: number, width: number) {
  const steps: Step[] = []
  for (let i = 0; i < depth; i++) {
    steps.push({
      op: 'linear',
      input: i === 0 ? 'x' : `y${i - 1}`,
      output: `y${i}`,
      weight: `w${i % 4}`,
      bias: null,
    })
  }
  const slots = Object.fromEntries(steps.map((step) => [step.output, [rows, width]]))
  const shapes = Object.fromEntries([0, 1, 2, 3].map((i) => [`w${i}`, [width, width]]))
  return planOf([rows, width], steps, slots, shapes)
}

/** Returns the size of the difference, relative to the size of what was expected; NaN where either holds one. */
export function relativeError(actual: Float32Array, expected: Float32Array): number {
  let difference = 0
  let size = 0
  for (const [i, value] of expected.entries()) {
    difference += ((actual[i] ?? Number.NaN) - value) ** 2
    size += value ** 2
  }
  return Math.sqrt(difference / (size || 1))
}

/** Makes a plan whose input is [rows, width] and whose steps are given; slots that only the steps know are declared in `slots`. */
export function planOf(
  input: Shape,
  steps: readonly Step[],
  slots: Readonly<Record<SlotName, Shape>>,
  weightShapes: Readonly<Record<string, Shape>> = {},
  constants: Readonly<Record<string, Constant>> = {},
): StepPlan {
  return {
    plan: {
      inputs: [{ kind: 'pixels', slot: 'x' }],
      slots: new Map([['x', input], ...Object.entries(slots)]),
      steps,
      weights: new Map(Object.entries(weightShapes)),
      constants: new Map(Object.entries(constants)),
    },
    output: steps.at(-1)?.output ?? '',
  }
}

export function normWeights(kind: 'layerNorm' | 'rmsNorm', name: string, bias = true): NormWeights {
  return { kind, weight: `${name}.weight`, bias: bias ? `${name}.bias` : null, epsilon: 1e-6 }
}

/** Gives two inputs to steps that take two: the input's rows, and the same rows scaled column by column. */
export function pairOf(rows: number, width: number, step: Step): StepPlan {
  const other: Step = { op: 'scale', input: 'x', output: 'other', gamma: 'other' }
  const shape = [rows, width]
  return planOf(shape, [other, step], { other: shape, y: shape }, { other: [width] })
}

/** Returns the output of a run; throws by name where the run did not give it. */
export function outputOf(run: ReadonlyMap<SlotName, Float32Array>, slot: SlotName): Float32Array {
  const values = run.get(slot)
  if (values === undefined) throw new Error(`the run gave ${[...run.keys()].join(', ')} and not ${slot}`)
  return values
}

/** Puts a row's name before it, for the `%s` of a test's name: vitest would quote and cut it by `$name`. */
export function named<Row extends { readonly name: string }>(row: Row): readonly [string, Row] {
  return [row.name, row]
}

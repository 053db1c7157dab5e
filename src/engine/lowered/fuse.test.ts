/** Fusing changes how often values travel, and nothing else: shown on random plans, by an interpreter of a few lines. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { randomPlan } from '../../../test/support/random-plan.js'
import { ACTIVATIONS } from '../../kernels/activation.js'
import type { Plan, SlotName } from '../plan.js'
import { plainArithmetic } from './arithmetic.js'
import { broadcastConstants } from './broadcast-constants.js'
import { fuse } from './fuse.js'
import { lowerStep } from './lower-step.js'
import { type LoweredOp, loweredOp } from './lowered-op.js'
import { sizeOf, sizesOf } from './slot-sizes.js'

/** A value between -1 and 1 that depends on the weight's name and the place. */
function weightAt(name: string | undefined | null, index: number): number {
  let state = index + 1
  for (const letter of name ?? '') state = (Math.imul(state, 31) + letter.charCodeAt(0)) | 0
  return Math.sin(state)
}

/** Runs products and element-wise operations in float64, so that not even rounding may differ. */
function interpret(ops: readonly LoweredOp[], plan: Plan): ReadonlyMap<SlotName, readonly number[]> {
  const sizes = sizesOf(plan)
  const slots = new Map<SlotName, readonly number[]>()
  const read = (slot: SlotName | null) => {
    const values = slots.get(slot ?? '')
    if (values === undefined) throw new Error(`${slot} is read before it is written`)
    return values
  }
  const [rows, width] = sizeOf('x', sizes)
  slots.set(
    'x',
    Array.from({ length: rows * width }, (_, i) => Math.cos(i)),
  )
  for (const op of ops) {
    if (op.output === null) throw new Error('it writes nothing')
    const [outRows, outWidth] = sizeOf(op.output, sizes)
    const values = Array.from({ length: outRows * outWidth }, (_, i) => {
      const [row, column] = [Math.floor(i / outWidth), i % outWidth]
      if (op.kind === 'broadcast') return weightAt(op.constant, i)
      const value = op.kind === 'linear' ? product(op, row, column) : (read(op.input)[i] ?? Number.NaN)
      return finish(op, value, column, op.combine === 'none' ? 0 : (read(op.second)[i] ?? Number.NaN))
    })
    slots.set(op.output, values)
  }
  return slots

  function product(op: LoweredOp, row: number, column: number): number {
    const [, depth] = sizeOf(op.input ?? '', sizes)
    const input = read(op.input).slice(row * depth, (row + 1) * depth)
    const sum = input.reduce((s, value, k) => s + value * weightAt(op.weight?.name, column * depth + k), 0)
    return sum + weightAt(op.bias, column)
  }
}

function finish({ activation, gamma, combine }: LoweredOp, x: number, column: number, other: number) {
  const f: (x: number) => number = ACTIVATIONS[activation]
  if (combine === 'gate') return f(other) * x
  const scaled = f(x) * (gamma === null ? 1 : weightAt(gamma, column))
  return combine === 'add' ? scaled + other : scaled
}

test('fused operations give every output the values that the steps give', () => {
  fc.assert(
    fc.property(randomPlan('elementwise'), ({ plan, outputs }) => {
      const sizes = sizesOf(plan)
      const steps = plan.steps.flatMap((step) => lowerStep(step, plan, sizes, plainArithmetic()))
      const fused = fuse(steps, new Set(outputs))
      expect(fused.length).toBeLessThanOrEqual(steps.length)
      const [expected, found] = [steps, fused].map((ops) => interpret(broadcastConstants(ops, plan), plan))
      for (const slot of outputs) expect(found?.get(slot)).toEqual(expected?.get(slot))
    }),
    { numRuns: 300 },
  )
})

const linear = loweredOp('linear', { input: 'x', output: 'a', weight: { name: 'w', form: 'float32' } })
const gelu = loweredOp('elementwise', { input: 'a', output: 'b', activation: 'gelu' })
const scale = loweredOp('elementwise', { input: 'b', output: 'c', gamma: 'g' })
const add = loweredOp('elementwise', { input: 'c', second: 'x', output: 'd', combine: 'add' })

test('an activation, a scale and a sum join the product that they follow', () => {
  const joined = { ...linear, output: 'd', activation: 'gelu', gamma: 'g', combine: 'add', second: 'x' }
  expect(fuse([linear, gelu, scale, add], new Set(['d']))).toEqual([joined])
})

test('a value that is asked for, or that another operation reads, stays a value', () => {
  expect(fuse([linear, gelu], new Set(['a', 'b']))).toEqual([linear, gelu])
  const reader = loweredOp('meanRows', { input: 'a', output: 'm' })
  expect(fuse([linear, gelu, reader], new Set(['b', 'm']))).toEqual([linear, gelu, reader])
})

test('an activation after a scale does not join: it would come first', () => {
  const scaled = { ...scale, input: 'a', output: 'b' }
  const active = { ...gelu, input: 'b', output: 'c' }
  expect(fuse([linear, scaled, active], new Set(['c']))).toEqual([
    { ...linear, output: 'b', gamma: 'g' },
    active,
  ])
})

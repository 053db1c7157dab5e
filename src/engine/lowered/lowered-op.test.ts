/** An operation keeps every field on its way into numbers and back. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { randomPlan } from '../../../test/support/random-plan.js'
import { FIELDS, OPS, type OpRow, PRECISIONS } from '../ops.js'
import { plainArithmetic } from './arithmetic.js'
import { encodePlan, placeIn } from './encode-ops.js'
import { lowerPlan } from './lower-plan.js'
import { lowerStep } from './lower-step.js'
import { baseOf, loweredOp, OP_FIELDS, type PlacedOp, placeOp, readOp, writeOp } from './lowered-op.js'
import { sizesOf } from './slot-sizes.js'

const count = fc.nat(2 ** 31)
const offset = fc.oneof(
  fc.constant(-1),
  fc.nat(2 ** 31).map((value) => value * 1024),
)
const slot = fc.record({
  offset: count,
  rows: count,
  width: count,
  stride: count,
  format: fc.constantFrom('float32', 'bfloat16', 'split', 'int8', 'int16'),
} as const)
const norm = fc.record({
  kind: fc.constantFrom('none', 'layerNorm', 'rmsNorm'),
  weight: offset,
  bias: offset,
  epsilon: fc.double({ noNaN: true }),
} as const)

/** Any operation, whether or not anything could run it. */
const placedOp: fc.Arbitrary<PlacedOp> = fc.record({
  kind: fc.constantFrom(...(Object.keys(OPS) as (keyof typeof OPS)[])),
  input: slot,
  second: slot,
  output: slot,
  norm,
  keyNorm: norm,
  weight: fc.record({ offset, precision: fc.constantFrom(...PRECISIONS) }),
  bias: offset,
  gamma: offset,
  constant: offset,
  columnTable: offset,
  keyCounts: offset,
  rowIndex: offset,
  headIndex: offset,
  activation: fc.constantFrom('identity', 'gelu', 'hard_tanh'),
  combine: fc.constantFrom('none', 'add', 'gate'),
  weightOperand: fc.constantFrom('none', 'query', 'key'),
  scoreBias: fc.constantFrom('none', 'relative', 'decomposed'),
  keyMask: fc.constantFrom('none', 'causal', 'keys'),
  headFusion: fc.constantFrom('none', 'mean', 'max', 'min'),
  routing: fc.constantFrom('sigmoid', 'softmax', 'byExperts'),
  precision: fc.constantFrom(...PRECISIONS),
  gridRows: count,
  gridColumns: count,
  heads: count,
  headCount: count,
  tables: count,
  pairsNeighbours: fc.boolean(),
  scale: fc.double({ noNaN: true }),
  outputIndex: count,
  inputAt: count,
  inputLength: count,
  channels: count,
  planeHeight: count,
  planeWidth: count,
  patchSize: count,
  patchStride: count,
  padding: count,
  taps: count,
  takesLargest: fc.boolean(),
  id: count,
  keysAt: count,
  valuesAt: count,
  firstRow: count,
  latents: count,
  groups: count,
  isBack: fc.boolean(),
  choices: count,
  capacity: count,
  expert: count,
} as const)

test('what is written is what is read, wherever it lies', () => {
  fc.assert(
    fc.property(placedOp, fc.nat(3), (op, index) => {
      const numbers = new Float64Array(OP_FIELDS * 4).fill(Number.NaN)
      writeOp(op, numbers, index * OP_FIELDS)
      expect(readOp(numbers, index * OP_FIELDS)).toEqual(op)
      // Neighbours are left alone.
      expect(numbers.filter((value) => !Number.isNaN(value))).toHaveLength(OP_FIELDS)
    }),
  )
})

test('a number that stands for nothing, and an operation that is cut off, are refused', () => {
  const op = placeOp(loweredOp('copyIn', {}), {
    slot: () => ({ offset: 0, rows: 1, width: 1, stride: 16, format: 'float32' }),
    weight: () => 0,
    constant: () => 0,
  })
  const numbers = new Float64Array(OP_FIELDS)
  writeOp(op, numbers, 0)
  expect(() => readOp(numbers.subarray(0, OP_FIELDS - 1), 0)).toThrow('before its last number')
  numbers[0] = 99
  expect(() => readOp(numbers, 0)).toThrow('99 is the number of none of copyIn')
})

test('CELU is ELU to those who compute it', () => {
  expect(baseOf('celu')).toBe('elu')
  expect(baseOf('gelu')).toBe('gelu')
})

test('an encoded plan holds the operations of the lowered one, each with the places of its slots, weights and constants', () => {
  fc.assert(
    fc.property(randomPlan('every'), ({ plan, outputs }) => {
      const lowered = lowerPlan(plan, outputs, plainArithmetic())
      const names = [...plan.weights.keys()]
      const weight = ({ name }: { name: string }) => 1000 * names.indexOf(name)
      const encoded = encodePlan(lowered, plan, weight)
      expect(encoded.ops).toHaveLength(lowered.ops.length * OP_FIELDS)
      for (const [index, op] of lowered.ops.entries()) {
        const read = readOp(encoded.ops, index * OP_FIELDS)
        const constant = (name: string) => (name === op.columnTable ? read.columnTable : read.constant)
        expect(read).toEqual(placeIn(lowered, op, { weight, constant }))
        for (const name of [op.constant, op.columnTable]) {
          if (name === null) continue
          const values = plan.constants.get(name)?.values ?? []
          const at = constant(name)
          expect(encoded.constants.subarray(at, at + values.length)).toEqual(values)
        }
      }
    }),
  )
})

test('an operation sets no field that its row does not name', () => {
  const initial = loweredOp('copyIn', {})
  fc.assert(
    fc.property(randomPlan('every'), ({ plan }) => {
      const sizes = sizesOf(plan)
      for (const op of plan.steps.flatMap((step) => lowerStep(step, plan, sizes, plainArithmetic()))) {
        const { uses }: OpRow = OPS[op.kind]
        for (const name of Object.keys(FIELDS) as (keyof typeof FIELDS)[]) {
          if (!uses.includes(name)) expect(op[name], `${name} of ${op.kind}`).toEqual(initial[name])
        }
      }
    }),
  )
})

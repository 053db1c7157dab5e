import fc from 'fast-check'
import { expect, test } from 'vitest'
import { randomPlan } from '../../../test/support/random-plan.js'
import { planVit } from '../../model/plan-vit.js'
import { readVit } from '../../model/read-vit.js'
import { hashedCheckpoint } from '../../verify/hashed-checkpoint.js'
import { countFlop } from '../count-flop.js'
import type { Plan } from '../plan.js'
import { Arithmetic, plainArithmetic } from './arithmetic.js'
import { lowerPlan } from './lower-plan.js'
import { opTimes } from './op-times.js'

const HALVES = { rows: 1, attention: 1, between: 1 }
/** Has bytes for linear layers, and bfloat16 between them and in attention, as matrix tiles do. */
const INT8 = new Arithmetic('int8', [
  { rows: 0, attention: 0, between: 1 },
  null,
  HALVES,
  { ...HALVES, rows: 3 },
])

const counting = (count: number) => Float64Array.from({ length: count }, (_, index) => index)

function timesOfSmall(arithmetic: Arithmetic, batch: number) {
  const network = 'vit_reg4_s14_nps_ls'
  const { config } = readVit(hashedCheckpoint(network, [224, 224], 'times'), { network })
  const { plan, slots } = planVit(config, { rows: 16, columns: 16 }, null)
  const lowered = lowerPlan(plan, [slots.tokens], arithmetic)
  const [seconds, busySeconds] = [counting(lowered.ops.length), counting(lowered.ops.length).reverse()]
  return opTimes(lowered, { seconds, busySeconds }, batch)
}

test.each([
  ['float32', plainArithmetic()],
  ['int8', INT8],
] as const)('operations of any plan in %s are as much work as the plan', (_, arithmetic) => {
  fc.assert(
    fc.property(randomPlan('every'), fc.integer({ min: 1, max: 3 }), ({ plan, outputs }, batch) => {
      const lowered = lowerPlan(plan, outputs, arithmetic)
      const times = opTimes(lowered, { seconds: counting(lowered.ops.length), busySeconds: null }, batch)
      expect(times.reduce((sum, { flop }) => sum + flop, 0)).toBe(batch * countFlop(plan, outputs))
    }),
  )
})

test('each operation is told with its own times, in the order of the plan', () => {
  const times = timesOfSmall(plainArithmetic(), 1)
  const last = times.length - 1
  expect(times[0]).toMatchObject({ kind: 'patchifyPlanes', seconds: 0, busySeconds: last })
  expect(times[last]).toMatchObject({ kind: 'copyOut', seconds: last, busySeconds: 0 })
})

test('what an operation works on, how precisely, and the bytes that pass through it, are those of the batch', () => {
  const told = timesOfSmall(INT8, 2).map(({ kind, shape, precision, bytes }) => [
    kind,
    shape,
    precision,
    bytes,
  ])
  const [values, patches] = [2 * 261 * 384, 2 * 256 * 588]
  // Patches are written from the caller's pixels.
  expect(told[0]).toEqual(['patchifyPlanes', '512 x 588', null, 2 * 4 * patches])
  // Pixels are not multiplied in bytes.
  expect(told[1]?.slice(0, 3)).toEqual(['convert', '512 x 588', null])
  expect(told[2]?.slice(0, 3)).toEqual(['linear', '512 x 588 x 384', 'bfloat16'])
  expect(told).toContainEqual(['norm', '522 x 384', null, values * (4 + 1)])
  expect(told).toContainEqual(['linear', '522 x 384 x 1152', 'int8', values * (1 + 3 * 2)])
  // Queries, keys and values are read once.
  expect(told).toContainEqual(['attention', '2 x 261 x 261 x 384', 'bfloat16', values * (3 * 2 + 2)])
  expect(told).toContainEqual(['linear', '522 x 384 x 1536, gelu', 'int8', values * (1 + 4 * 2)])
  expect(told).toContainEqual(['linear', '522 x 1536 x 384, add', 'int8', values * (4 * 1 + 4 + 4)])
  expect(told.at(-1)).toEqual(['copyOut', '522 x 384', null, 2 * 4 * values])
})

test('a convolution is a product of its patches, in bfloat16 where linear layers are in bytes, and takes what follows it along', () => {
  const pass = { height: 6, width: 5, kernel: 3, stride: 1, padding: 1, bias: null } as const
  const plan: Plan = {
    inputs: [{ kind: 'level', slot: 'x' }],
    slots: new Map([
      ['x', [30, 8]],
      ['map', [30, 16]],
      ['active', [30, 16]],
      ['back', [30, 8]],
    ]),
    weights: new Map([
      ['kernels', [16, 72]],
      ['turned', [72, 16]],
    ]),
    constants: new Map(),
    steps: [
      { op: 'conv2d', input: 'x', output: 'map', weight: 'kernels', ...pass },
      { op: 'activation', input: 'map', output: 'active', kind: 'relu' },
      { op: 'transposedConv2d', input: 'active', output: 'back', weight: 'turned', ...pass },
    ],
  }
  const lowered = lowerPlan(plan, ['back'], INT8)
  const times = opTimes(lowered, { seconds: counting(lowered.ops.length), busySeconds: null }, 2)
  const told = times.map(({ kind, shape, precision }) => [kind, shape, precision])
  expect(told).toContainEqual(['conv2d', '60 x 72 x 16, relu', 'bfloat16'])
  expect(told).toContainEqual(['linear', '60 x 16 x 72', 'bfloat16'])
  expect(told).toContainEqual(['foldPatches', '60 x 8', null])
  expect(told.some(([kind]) => kind === 'elementwise')).toBe(false)
})

test('times of fewer operations than there are, are an error', () => {
  const { plan, outputs } = fc.sample(randomPlan('every'), 1)[0] ?? {}
  if (plan === undefined || outputs === undefined) throw new Error('There is no plan.')
  const lowered = lowerPlan(plan, outputs, plainArithmetic())
  expect(() => opTimes(lowered, { seconds: [], busySeconds: null }, 1)).toThrow('Operation 0 was not timed')
})

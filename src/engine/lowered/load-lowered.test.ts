import { expect, test } from 'vitest'
import { elementCount, type Shape } from '../../tensor/shape.js'
import type { WeightSource } from '../engine.js'
import type { ProductPrecision } from '../ops.js'
import type { Plan } from '../plan.js'
import { Arithmetic } from './arithmetic.js'
import { type Executor, loadLowered } from './load-lowered.js'

/** Reads float32 rows in each precision: what is looked at here is how weights are kept. */
const FLOATS = { rows: 0, attention: 0, between: 0 }
const INT8 = new Arithmetic('int8', [FLOATS, FLOATS, FLOATS, FLOATS, FLOATS])

const plan: Plan = {
  inputs: [{ kind: 'pixels', slot: 'y0' }],
  slots: new Map([0, 1, 2].map((i) => [`y${i}`, [2, 8] as Shape])),
  weights: new Map(['even', 'steep'].map((name) => [name, [8, 8] as Shape])),
  constants: new Map(),
  steps: ['even', 'steep'].map((weight, i) => ({
    op: 'linear' as const,
    input: `y${i}`,
    output: `y${i + 1}`,
    weight,
    bias: null,
  })),
}
const source: WeightSource = { read: async (_, shape) => new Float32Array(elementCount(shape)).fill(1) }

/** One expert answers both tokens. */
const mixture: Plan = {
  inputs: [{ kind: 'pixels', slot: 'x' }],
  slots: new Map(['x', 'y'].map((name) => [name, [2, 8] as Shape])),
  weights: new Map([
    ['norm', [8]],
    ['slots', [2, 8]],
    ['inner', [8, 8]],
    ['outer', [8, 8]],
    ['bias', [8]],
  ]),
  constants: new Map(),
  steps: [
    {
      op: 'softMoe',
      input: 'x',
      output: 'y',
      tokenNorm: { kind: 'layerNorm', weight: 'norm', bias: 'bias', epsilon: 1e-6 },
      slots: 'slots',
      experts: [{ weight1: 'inner', bias1: 'bias', weight2: 'outer', bias2: 'bias' }],
      kind: 'gelu',
    },
  ],
}

/** Takes down what is packed how; `notHeld` are the offsets at which bytes hold too little. */
function watching(notHeld: (offset: number) => boolean) {
  const packed: (ProductPrecision | null)[] = []
  const held = new Set<symbol>()
  const executor: Executor<symbol> = {
    arithmetic: INT8,
    packedFloats: (precision, columns, depth) => (columns * depth) / (precision === 'int8' ? 4 : 2),
    allocate: () => {
      const region = Symbol('region')
      held.add(region)
      return region
    },
    async pack(_, { precision, offset }) {
      packed.push(precision)
      return { isHeld: precision !== 'int8' || !notHeld(offset) }
    },
    releaseRegion: (region) => void held.delete(region),
    packedBytes: () => ({ digest: async () => new Int32Array(0), *pieces() {} }),
    createProgram: () => {
      throw new Error('nothing runs in this test')
    },
  }
  return { executor, packed, held }
}

test('a network whose weights bytes hold is packed once', async () => {
  const { executor, packed, held } = watching(() => false)
  const model = await loadLowered(executor, plan, source, {})
  expect(packed).toEqual(['int8', 'int8'])
  expect(model.packed).toBeDefined()
  expect(held.size).toBe(1)
})

test('a weight of which bytes hold too little is kept in bfloat16, it alone, and the first memory is given back', async () => {
  const { executor, packed, held } = watching((offset) => offset === 32)
  const model = await loadLowered(executor, plan, source, {})
  expect(packed).toEqual(['int8', 'int8', 'int8', 'bfloat16'])
  expect(held.size).toBe(1)
  expect(model.byteLength).toBe(4 * (32 + 32))
  // A later load could not know how such a file is laid out.
  expect(model.packed).toBeUndefined()
  model[Symbol.dispose]()
  expect(held.size).toBe(0)
})

test('weights of experts are kept in bfloat16 like any other, so that the second time is the last', async () => {
  const { executor, packed } = watching(() => true)
  await loadLowered(executor, mixture, source, {})
  const products = packed.filter((precision) => precision !== null)
  expect(products).toEqual(['int8', 'int8', 'bfloat16', 'bfloat16'])
})

/** Weights never share a place, each is read once, and what does not fit is refused by name. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { randomPlan } from '../../../test/support/random-plan.js'
import { elementCount, type Shape } from '../../tensor/shape.js'
import type { WeightSource } from '../engine.js'
import { plainArithmetic } from './arithmetic.js'
import { packWeights } from './load-lowered.js'
import { lowerPlan } from './lower-plan.js'
import { weightsOf } from './lowered-op.js'
import { assertLoaded, layOutWeights, offsetOf, type WeightPlace } from './weight-layout.js'

const packed = (_: string, columns: number, depth: number) => Math.ceil(columns / 8) * 8 * depth
const ones: WeightSource = { read: async (_, shape) => new Float32Array(elementCount(shape)).fill(1) }

test('places do not overlap, lie within the region, and every weight of an operation has one', () => {
  fc.assert(
    fc.property(randomPlan('every'), ({ plan, outputs }) => {
      const layout = layOutWeights(plan, plainArithmetic(), packed)
      const places = [...layout.places].flatMap(([, own]) => own)
      let end = 0
      for (const { name, offset, form } of places.sort((a, b) => a.offset - b.offset)) {
        const [rows = 0, width = 1] = plan.weights.get(name) ?? []
        expect(offset % 32).toBe(0)
        expect(offset).toBeGreaterThanOrEqual(end)
        // What is read as it is ends in a vector of zeros at least.
        end = offset + (form === 'rows' ? rows * width + 32 : packed(form, rows, width))
      }
      expect(layout.floats).toBeGreaterThanOrEqual(end)
      const { ops } = lowerPlan(plan, outputs, plainArithmetic())
      assertLoaded(ops, plan, layout.shapes)
      for (const ref of ops.flatMap(weightsOf)) expect(offsetOf(layout, ref)).toBeGreaterThanOrEqual(0)
    }),
  )
})

const { plan, layout } = tower(4)

function tower(depth: number) {
  const names = Array.from({ length: depth }, (_, i) => i)
  const plan = {
    inputs: [{ kind: 'pixels', slot: 'y0' } as const],
    slots: new Map([...names, depth].map((i) => [`y${i}`, [2, 8] as Shape])),
    weights: new Map(names.map((i) => [`w${i}`, [8, 8] as Shape])),
    constants: new Map(),
    steps: names.map((i) => ({
      op: 'linear' as const,
      input: `y${i}`,
      output: `y${i + 1}`,
      weight: `w${i}`,
      bias: null,
    })),
  }
  return { plan, layout: layOutWeights(plan, plainArithmetic(), packed) }
}

test('weights are read one after the other, the next one while one is packed', async () => {
  const events: string[] = []
  const source: WeightSource = {
    read: async (name, shape) => {
      events.push(`read ${name}`)
      return await ones.read(name, shape)
    },
  }
  const pack = async ({ offset }: WeightPlace) => {
    events.push(`pack ${offset / 64}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
    events.push(`packed ${offset / 64}`)
  }
  await packWeights(plan, layout, source, { pack, signal: undefined })
  expect(events).toEqual([
    'read w0',
    ...[1, 2, 3].flatMap((i) => [`pack ${i - 1}`, `read w${i}`, `packed ${i - 1}`]),
    'pack 3',
    'packed 3',
  ])
})

test('loading that is given up, or whose source fails, has ended its packing when it rejects', async () => {
  let underWay = 0
  const pack = async () => {
    underWay++
    await new Promise((resolve) => setTimeout(resolve, 5))
    underWay--
  }
  const controller = new AbortController()
  const aborting: WeightSource = {
    read: async (name, shape) => {
      if (name === 'w1') controller.abort('enough')
      return await ones.read(name, shape)
    },
  }
  await expect(packWeights(plan, layout, aborting, { pack, signal: controller.signal })).rejects.toBe(
    'enough',
  )
  expect(underWay).toBe(0)
  const failing: WeightSource = {
    read: async (name, shape) => {
      if (name === 'w2') throw new Error('the disk is gone')
      return await ones.read(name, shape)
    },
  }
  await expect(packWeights(plan, layout, failing, { pack, signal: undefined })).rejects.toThrow(
    'the disk is gone',
  )
  expect(underWay).toBe(0)
})

test('a weight of another length, another shape, or that was not loaded is refused by its name', async () => {
  const short: WeightSource = { read: async () => new Float32Array(63) }
  await expect(
    packWeights(plan, layout, short, { pack: async () => {}, signal: undefined }),
  ).rejects.toMatchObject({
    code: 'wrong-size',
    message: expect.stringContaining('w0 should hold [8, 8], 64 values; it holds 63'),
  })
  const { ops } = lowerPlan(plan, ['y4'], plainArithmetic())
  const others = new Map([...layout.shapes, ['w3', [8, 9] as Shape]])
  expect(() => assertLoaded(ops, plan, others)).toThrow(
    'w3 as [8, 8]; the model was loaded with one of [8, 9]',
  )
  const longer = tower(5)
  const more = lowerPlan(longer.plan, ['y5'], plainArithmetic())
  expect(() => assertLoaded(more.ops, longer.plan, layout.shapes)).toThrow('needs the weight w4, which')
  expect(() => offsetOf(layout, { name: 'w0', form: 'rows' })).toThrow('needs the weight w0 (as rows), which')
})

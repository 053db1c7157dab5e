import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { VitModel } from '../model/read-vit.js'
import type { Shape } from '../tensor/shape.js'
import { WeightDigest } from './weight-digest.js'

type Weights = ReadonlyMap<string, { readonly shape: Shape; readonly values: Float32Array }>

const WIDTH = 3
const weights = fc
  .array(fc.array(fc.float({ noNaN: true }), { minLength: 1, maxLength: 40 }), { minLength: 1, maxLength: 6 })
  .map((all) => new Map(all.map((one, index) => [`w${index}`, weight(one)])))

function weight(numbers: readonly number[], shape: Shape = [numbers.length]) {
  return { shape, values: Float32Array.from(numbers) }
}

function modelOf(all: Weights, table: Float32Array | null = null): VitModel {
  const read = async (name: string) => {
    const found = all.get(name)
    if (found === undefined) throw new Error(`there is no ${name}`)
    return found.values
  }
  const weightShapes = new Map([...all].map(([name, { shape }]) => [name, shape]))
  // Nothing else of a model is asked for.
  const rest = {
    config: { width: WIDTH },
    readTables: async () => new Map(table === null ? [] : [['positions', table] as const]),
  }
  return { weights: { read }, weightShapes, ...rest } as unknown as VitModel
}

const digestOf = (all: Weights, table: Float32Array | null = null) =>
  new WeightDigest().finish(modelOf(all, table))

test('whatever passes on its way to an engine, in whatever order and however often, the digest is that of all weights', async () => {
  const reads = fc.array(fc.nat(), { maxLength: 12 })
  await fc.assert(
    fc.asyncProperty(weights, reads, async (all, order) => {
      const digest = new WeightDigest()
      for (const place of order) {
        const [name, { shape, values }] = [...all][place % all.size] ?? ['', weight([])]
        await digest.add(name, shape, values)
      }
      const backwards = new Map([...all].reverse())
      expect(await digest.finish(modelOf(backwards))).toBe(await digestOf(all))
    }),
    { numRuns: 40 },
  )
})

test('a weight is wanted once, and none where a note says the digest', async () => {
  const digest = new WeightDigest()
  expect(digest.wants('a')).toBe(true)
  await digest.add('a', [1], Float32Array.of(1))
  digest.addStates('b', [1], new Int32Array(64))
  expect(['a', 'b', 'c'].map((name) => digest.wants(name))).toEqual([false, false, true])
  expect(new WeightDigest(undefined, 'noted').wants('a')).toBe(false)
})

test('one changed bit of any weight changes the digest', async () => {
  await fc.assert(
    fc.asyncProperty(weights, fc.nat(), fc.nat(), fc.nat({ max: 31 }), async (all, which, place, bit) => {
      const [name, found] = [...all][which % all.size] ?? ['', weight([])]
      const values = found.values.slice()
      const bits = new Int32Array(values.buffer)
      const at = place % bits.length
      bits[at] = (bits[at] ?? 0) ^ (1 << bit)
      const changed = new Map(all).set(name, { ...found, values })
      expect(await digestOf(changed)).not.toBe(await digestOf(all))
    }),
    { numRuns: 40 },
  )
})

test('names, shapes and the position table count', async () => {
  const one = new Map([['a', weight([1, 2, 3, 4, 5, 6])]])
  const others: readonly (readonly [Weights, Float32Array | null])[] = [
    [new Map([['b', weight([1, 2, 3, 4, 5, 6])]]), null],
    [new Map([['a', weight([1, 2, 3, 4, 5, 6], [2, 3])]]), null],
    [new Map([['a', weight([1, 2, 3, 4, 5, 6, 0])]]), null],
    [one, new Float32Array(6)],
    [one, new Float32Array(6).fill(1, 5)],
  ]
  const digests = await Promise.all([digestOf(one), ...others.map((parts) => digestOf(...parts))])
  expect(new Set(digests).size).toBe(digests.length)
  expect(digests[0]).toMatch(/^[0-9a-f]{64}$/)
})

test('a weight that cannot be digested is told at the end, and to nobody before', async () => {
  const failing = new WeightDigest(() => Promise.reject(new Error('no memory')))
  const model = modelOf(new Map([['a', weight([1])]]))
  await failing.add('a', [1], Float32Array.of(1))
  await expect(failing.finish(model)).rejects.toThrow('no memory')
})

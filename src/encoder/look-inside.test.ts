/** An encoder hands out what is asked for of the inside of its network, computes no further than it must, and refuses by name what is not there. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { MINI } from '../../test/support/mini.js'
import { createReferenceEngine } from '../engine/reference/reference-engine.js'
import { loadEncoder } from '../platform/node/load-encoder.js'
import { openVit } from '../platform/node/open-vit.js'
import { attentionBytes } from './attention-map.js'
import { recipeFor } from './choose-recipe.js'
import { createEncoder } from './create-encoder.js'
import { encodeLike, METHOD_NAMES } from './like.js'
import { Network } from './network.js'

const SIDE = 42
const [rows, columns] = [3, 3]
const photo = (seed: number) => ({
  height: SIDE,
  width: SIDE,
  data: Uint8Array.from({ length: SIDE * SIDE * 3 }, (_, i) => (seed * i * 31 + 7 * (i % 113)) % 256),
})

let encoder: Awaited<ReturnType<typeof loadEncoder>>
beforeAll(async () => {
  encoder = await loadEncoder(MINI, { engine: 'reference', size: SIDE })
})
afterAll(async () => await encoder[Symbol.asyncDispose]())

test('attention of the class token comes for each head of the last block, and its rows sum to 1', async () => {
  const { heads } = encoder.attends
  const { attention: [map] = [] } = await encoder.encode(photo(1), { attention: {} })
  expect(map).toMatchObject({
    layer: encoder.depth - 1,
    heads: 'each',
    headCount: heads,
    rows: [{ kind: 'class' }],
  })
  if (map === undefined) return
  expect(map.toPatches.length).toBe(heads * rows * columns)
  expect(map.toRegisters.length).toBe(heads * encoder.registers)
  const total = [map.toPatches, map.toClass, map.toRegisters].flatMap((part) => [...part])
  expect(total.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(heads, 4)
})

test('rows are named: registers by number, patches by their place, in the order asked for', async () => {
  const of = async (from: NonNullable<Parameters<typeof attentionBytes>[2]['from']>) =>
    (await encoder.encode(photo(1), { attention: { from, heads: 'mean' } })).attention?.[0]
  const all = await of('all')
  expect(all?.rows.length).toBe(1 + encoder.registers + rows * columns)
  expect((await of('registers'))?.rows).toEqual(
    Array.from({ length: encoder.registers }, (_, index) => ({ kind: 'register', index })),
  )
  const some = await of([
    { row: 2, column: 0 },
    { row: 0, column: 1 },
  ])
  expect(some?.rows).toEqual([
    { kind: 'patch', row: 2, column: 0 },
    { kind: 'patch', row: 0, column: 1 },
  ])
  const whole = all?.toPatches ?? new Float32Array()
  const rowOf = (token: number) => [...whole.subarray(token * rows * columns, (token + 1) * rows * columns)]
  const first = 1 + encoder.registers
  expect([...(some?.toPatches ?? [])]).toEqual([...rowOf(first + 2 * columns), ...rowOf(first + 1)])
})

test('a facet of tokens is the hidden layer, and those of a batch are those of each image', async () => {
  const choice = {
    layers: [1],
    attention: { from: 'special' },
    facets: [
      { layer: 1, of: 'token' },
      { layer: 2, of: 'k' },
      { layer: -1, of: 'token', normed: true },
    ],
  } as const
  const alone = await Promise.all([1, 2].map((seed) => encoder.encode(photo(seed), choice)))
  const [first] = alone
  const [tokens, , normed] = first?.facets ?? []
  const whole = [tokens?.classToken, tokens?.registers, tokens?.patches].flatMap((part) => [...(part ?? [])])
  expect(whole).toEqual([...(first?.layers.get(1) ?? [])])
  expect(normed?.patches).toEqual(first?.patches)
  const together = []
  for await (const { features } of encoder.encodeAll([photo(1), photo(2)], { ...choice, batch: 2 }))
    together.push(features)
  for (const [index, features] of together.entries()) {
    expect(features?.facets).toEqual(alone[index]?.facets)
    expect(features?.attention).toEqual(alone[index]?.attention)
  }
})

test('columns channel by channel are those head by head in another order', async () => {
  const facets = [
    { layer: 0, of: 'q' },
    { layer: 0, of: 'q', columns: 'by-channel' },
  ] as const
  const { facets: [byHead, byChannel] = [] } = await encoder.encode(photo(1), { facets })
  if (byHead === undefined || byChannel === undefined) throw new Error('No facets.')
  const { heads, width } = byHead
  const [head, channel] = [heads - 1, 1]
  expect(byChannel.patches[channel * heads + head]).toBe(byHead.patches[(head * width) / heads + channel])
})

test('stopping early gives the same numbers, and computes none of the blocks behind', async () => {
  const whole = await encoder.encode(photo(3), { layers: [1], facets: [{ layer: 1, of: 'v' }] })
  const stopped = await encoder.encode(photo(3), {
    stopAfter: 1,
    layers: [1],
    facets: [{ layer: 1, of: 'v' }],
  })
  expect(stopped.layers).toEqual(whole.layers)
  expect(stopped.facets).toEqual(whole.facets)
  expect(stopped).not.toHaveProperty('embedding')
  expect(stopped.patchBox(0, 0)).toEqual(whole.patchBox(0, 0))
  for await (const { features } of encoder.encodeAll([photo(3)], { stopAfter: 1, layers: [1] }))
    expect(features?.layers).toEqual(whole.layers)

  await using open = await openVit(MINI)
  using network = await Network.load(open.vit, createReferenceEngine())
  const seen: string[] = []
  const grid = { rows, columns }
  const { plan, slots } = network.planFor(grid)
  const { neededSteps } = await import('../engine/needed-steps.js')
  for (const step of neededSteps(plan, slots.blocks.slice(1, 2))) seen.push(step.output)
  expect(seen.some((slot) => slot.startsWith('encoder.block.2'))).toBe(false)
})

test('overlapping patches make a denser grid whose boxes overlap, and another identity', async () => {
  const { patchSize } = encoder
  const plain = await encoder.encode(photo(1))
  const dense = await encoder.encode(photo(1), { stride: 7 })
  expect(dense.grid).toEqual({ rows: 1 + (SIDE - patchSize) / 7, columns: 1 + (SIDE - patchSize) / 7 })
  expect(dense.patchBox(0, 1)).toEqual({ top: 0, left: 7, bottom: patchSize, right: 7 + patchSize })
  expect(dense.identity.digest).not.toBe(plain.identity.digest)
  expect(JSON.parse(dense.identity.settings)).toMatchObject({ stride: 7, positions: 'bicubic-offset' })
  const same = await encoder.encode(photo(1), { stride: patchSize })
  expect(same.embedding).toEqual(plain.embedding)
  expect(same.identity.digest).toBe(plain.identity.digest)
})

test('the bytes of attention are told before, and more than allowed are refused with what to do', async () => {
  const { attends, depth, registers } = encoder
  const tokens = 1 + registers + rows * columns
  const choice = { layers: [0, 1], from: 'all' } as const
  const bytes = attentionBytes({ attends, depth, registers }, { rows, columns }, choice)
  expect(bytes).toBe(4 * 2 * attends.heads * tokens * tokens)
  await expect(encoder.encode(photo(1), { attention: { ...choice, maxBytes: bytes - 1 } })).rejects.toThrow(
    new RegExp(`raise attention.maxBytes to ${bytes}`),
  )
  const allowed = { attention: { ...choice, maxBytes: bytes } }
  const { attention } = await encoder.encode(photo(1), allowed)
  expect(attention?.length).toBe(2)
  // Images of which one alone is allowed share no run.
  const together = []
  for await (const { features } of encoder.encodeAll([photo(2), photo(1)], { ...allowed, batch: 2 }))
    together.push(features?.attention)
  expect(together[1]).toEqual(attention)
})

test('a tool that is followed asks for what its table says', async () => {
  for (const name of METHOD_NAMES) {
    await encoder.encode(photo(1), encodeLike(name, 'patches', encoder))
    const { attention } = await encoder.encode(photo(1), encodeLike(name, 'attention', encoder))
    expect(attention?.length).toBe(name === 'birder' ? encoder.depth : 1)
  }
})

test('an engine that multiplies in bytes hands attention out only to those who take it as it is', async () => {
  await using open = await openVit(MINI)
  await using engine = createReferenceEngine()
  await using coarse = await createEncoder({
    vit: open.vit,
    engine: { ...engine, takesBytes: true },
    recipe: recipeFor(open.vit, { size: SIDE }),
    decode: async (source: ReturnType<typeof photo>) => ({
      ...source,
      format: 'raw',
      orientation: 1,
      upright: true,
    }),
    name: 'coarse',
  })
  expect([encoder.attends.exact, coarse.attends.exact]).toEqual([true, false])
  await expect(coarse.encode(photo(1), { attention: {} })).rejects.toThrow(
    /multiplied in bytes.*'bfloat16' or 'float32', or .*attention\.inexact/,
  )
  expect(() => coarse.encodeAll([photo(1)], { attention: {} })).toThrow(RangeError)
  const { attention } = await coarse.encode(photo(1), { attention: { inexact: true } })
  expect(attention).toHaveLength(1)
  // Only attention is held back.
  expect((await coarse.encode(photo(1), { facets: [{ layer: 0, of: 'q' }] })).facets).toHaveLength(1)
})

describe('what is not there is refused by name', () => {
  test.each([
    [{ attention: { layers: [99] } }, /no hidden layer 99/],
    [{ attention: { heads: [99] } }, /no attention head 99/],
    [{ attention: { heads: [] } }, /lists no head/],
    [{ attention: { heads: 'median' } }, /can be each, mean, max, min/],
    [{ attention: { from: 'cls' } }, /can be class, registers/],
    [{ attention: { from: [] } }, /lists no patch/],
    [{ attention: { from: 'probe' } }, /no pooling head/],
    [{ attention: { layer: [1] } }, /layers/],
    [{ facets: [{ layer: 0, of: 'x' }] }, /can be q, k, v, token/],
    [{ facets: [{ layer: 0 }] }, /says what it is of/],
    [{ facets: [{ layer: 0, of: 'v', normed: true }] }, /no network has a norm on values/i],
    [{ facets: [{ layer: 0, of: 'token', columns: 'by-channel' }] }, /Tokens have no heads/],
    [{ facets: [{ layer: -99, of: 'q' }] }, /no hidden layer -99/],
    [{ stride: 0 }, /at least 1/],
    [{ stride: 15 }, /at most 14/],
    [{ stopAfter: 1 }, /Nothing is asked for/],
    [{ stopAfter: 1, layers: [2] }, /Hidden layer 2 is asked for/],
    [{ stopAfter: 1, attention: {} }, /is asked for, and 1 is the last/],
    [{ stopAfter: 1, layers: [0], preNorm: true }, /behind all blocks/],
  ])('%j', async (options, words) => {
    await expect(encoder.encode(photo(1), options as never)).rejects.toThrow(words)
    expect(() => encoder.encodeAll([photo(1)], options as never)).toThrow(RangeError)
  })

  test('a patch outside the grid, and a norm that the network lacks, are told of the image', async () => {
    const outside = { attention: { from: [{ row: 3, column: 0 }] } }
    await expect(encoder.encode(photo(1), outside)).rejects.toThrow(/no patch \(3, 0\) in a grid of 3 x 3/)
    const normed = { facets: [{ layer: 0, of: 'q', normed: true }] } as const
    await expect(encoder.encode(photo(1), normed)).rejects.toThrow(/no norms on queries and keys/)
  })
})

/**
 * What is seen within networks of every kind holds what attention must: the weights times the values are what the heads give, windows see themselves alone, a pooling
 * head's query looks at the tokens that it pools.
 */
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { Network } from '../../src/encoder/network.js'
import type { AttentionMap, Facet, StoppedChoice } from '../../src/encoder/types.js'
import { createReferenceEngine } from '../../src/engine/reference/reference-engine.js'
import { layOut } from '../../src/model/windows.js'
import { openFile } from '../../src/platform/node/open-file.js'
import { type GoldenCase, readExpected } from '../../src/verify/case.js'
import { lookWithin } from '../../src/verify/look-within.js'
import { openCase } from '../../src/verify/open-case.js'

const goldens = ['families', 'more'].flatMap((set) => {
  const folder = resolve(import.meta.dirname, 'families', set)
  const { cases } = JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8')) as {
    cases: readonly GoldenCase[]
  }
  return cases.map((golden) => ({ golden, folder }))
})

/** Opens the network of a case with its input. */
async function opened(id: string) {
  const found = goldens.find(({ golden }) => golden.id === id)
  if (found === undefined) throw new Error(`There is no golden case ${id}.`)
  const { golden, folder } = found
  const engine = createReferenceEngine()
  const context = { engine, open: (path: string) => openFile(join(folder, path)) }
  const expected = await readExpected(golden, context.open)
  const size = golden.run?.size ?? [0, 0]
  await using model = await openCase(golden, context)
  const network = await Network.load(model.vit, engine)
  const length = network.config.channels * size[0] * size[1]
  const pixels = expected.get(golden.input?.tensor ?? '')?.subarray(0, length) ?? new Float32Array()
  const look = (wanted: StoppedChoice | Omit<StoppedChoice, 'stopAfter'>) =>
    lookWithin(network, pixels, { stopAfter: -1, ...wanted }, size, undefined, context)
  const heads = async (block: number) => {
    const name = `encoder.block.${block}.attn`
    const grid = network.gridOf(size)
    const { plan } = network.planFor(grid)
    const slot = [`${name}.merged`, `${name}.heads`].find((one) => plan.slots.has(one)) ?? name
    return (await network.run(pixels, { grid, outputs: [slot] })).get(slot) ?? new Float32Array()
  }
  return { network, look, heads, [Symbol.dispose]: () => network[Symbol.dispose]() }
}

const at = (values: Float32Array, index: number) => values.at(index) ?? Number.NaN

/** Gives the weights of a row for class token, registers and patches, one after the other. */
function weightsOf(
  { headCount, rows, toClass, toRegisters, toPatches }: AttentionMap,
  row: number,
  head = 0,
): readonly number[] {
  return [toClass, toRegisters, toPatches].flatMap((part) => {
    const width = part.length / (headCount * rows.length)
    const from = (head * rows.length + row) * width
    return [...part.subarray(from, from + width)]
  })
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)

/** Multiplies a row of weights by the values of a head. */
function attended(
  weights: readonly number[],
  { classToken, registers, patches, width, heads }: Facet,
  head: number,
) {
  const tokens = [...classToken, ...registers, ...patches]
  const each = width / heads
  return Array.from({ length: each }, (_, column) =>
    sum(
      weights.map((weight, token) => weight * (tokens[token * width + head * each + column] ?? Number.NaN)),
    ),
  )
}

test.each([
  'timm/vit-cls/model.16x16',
  'timm/beit/model.set_input_size-24x24',
  'timm/beit-shared-bias/model.16x16',
  'timm/relpos-cls/model.16x16',
  'timm/rope-mixed-ape/model.16x16',
  'timm/vit-qk-norm/model.16x16',
  'timm/vit-scale-norms/model.16x16',
  'timm/vit-parallel-scaling/model.16x16',
  'hugging-face/dinov3-reg4/model.48x48',
  'birder/deit3-reg4',
])('what each head of %s gives is its weights times the values', async (id) => {
  using one = await opened(id)
  const { depth, heads, width } = one.network.config
  const layer = depth - 1
  const found = await one.look({ attention: { from: 'all' }, facets: [{ layer, of: 'v' }] })
  const [map] = found.attention ?? []
  const [values] = found.facets ?? []
  if (map === undefined || values === undefined) throw new Error('Nothing was seen.')
  expect(map.headCount).toBe(heads)
  const given = await one.heads(layer)
  const count = map.rows.length
  for (let head = 0; head < heads; head++) {
    for (let row = 0; row < count; row++) {
      const weights = weightsOf(map, row, head)
      expect(sum(weights)).toBeCloseTo(1, 5)
      const expected = attended(weights, values, head)
      for (const [column, value] of expected.entries())
        expect(at(given, row * width + (head * width) / heads + column)).toBeCloseTo(value, 4)
    }
  }
})

test('patches in windows see their own window alone, and global blocks the whole grid', async () => {
  using one = await opened('birder/vit-det')
  const { windows } = one.network.config
  if (windows === null) throw new Error('The network has no windows.')
  const layers = [0, ...windows.globalBlocks.slice(0, 1)]
  const { attention = [], grid } = await one.look({ attention: { layers, heads: 'mean', from: 'all' } })
  const [own, whole] = attention
  if (own === undefined || whole === undefined) throw new Error('Nothing was seen.')
  const layout = layOut(windows, grid)
  const each = layout.patches.length / layout.count
  const windowOf = (patch: number) => Math.floor(layout.patches.indexOf(patch) / each)
  for (const [row] of own.rows.entries()) {
    const weights = weightsOf(own, row)
    expect(sum(weights)).toBeCloseTo(1, 5)
    for (const [patch, weight] of weights.entries())
      expect(weight > 0, `patch ${row} sees patch ${patch}`).toBe(windowOf(row) === windowOf(patch))
    expect(weightsOf(whole, row).every((weight) => weight > 0)).toBe(true)
  }
})

test('a class token that stands in every window has the mean of what it sees there', async () => {
  using one = await opened('birder/vit-windowed')
  const { attention: [map] = [], grid } = await one.look({ attention: { layers: [0] } })
  if (map === undefined) throw new Error('Nothing was seen.')
  expect(map.rows).toEqual([{ kind: 'class' }])
  const { heads } = one.network.config
  expect(sum([...map.toPatches]) + sum([...map.toClass])).toBeCloseTo(heads, 4)
  expect(map.toPatches.length).toBe(heads * grid.rows * grid.columns)
})

test.each([
  ['hugging-face/siglip-vision/model.24x24', 0],
  ['timm/pe-core/model.16x16', 1],
  ['hugging-face/aimv2/model.16x16', 0],
])('the query of a pooling head looks at the tokens that it pools (%s)', async (id, special) => {
  using one = await opened(id)
  const { pooling, depth } = one.network.config
  if (pooling.kind !== 'attention') throw new Error('The network has no pooling head.')
  const { attention: [map] = [] } = await one.look({ attention: { from: 'probe' } })
  expect(map).toMatchObject({ layer: depth, headCount: pooling.heads, rows: [{ kind: 'probe' }] })
  expect(sum([...(map?.toPatches ?? [])]) + sum([...(map?.toClass ?? [])])).toBeCloseTo(pooling.heads, 4)
  expect(map?.toClass.length).toBe(special * pooling.heads)
})

test('heads are joined value by value, and chosen in the order asked for', async () => {
  using one = await opened('timm/vit-cls/model.16x16')
  const { heads } = one.network.config
  const of = async (choice: AttentionMap['heads']) => {
    const { attention: [map] = [] } = await one.look({ attention: { heads: choice } })
    return map?.toPatches ?? new Float32Array()
  }
  const each = await of('each')
  const count = each.length / heads
  const column = (patch: number) => Array.from({ length: heads }, (_, head) => at(each, head * count + patch))
  const joined = { mean: await of('mean'), max: await of('max'), min: await of('min') }
  for (let patch = 0; patch < count; patch++) {
    expect(at(joined.mean, patch)).toBeCloseTo(sum(column(patch)) / heads, 6)
    expect(at(joined.max, patch)).toBe(Math.max(...column(patch)))
    expect(at(joined.min, patch)).toBe(Math.min(...column(patch)))
  }
  expect([...(await of([1, 0]))]).toEqual([...each.subarray(count, 2 * count), ...each.subarray(0, count)])
})

test('blocks with two attentions side by side have none of their own', async () => {
  using one = await opened('birder/vit-parallel')
  await expect(one.look({ attention: {} })).rejects.toThrow(/attends 2 times side by side/)
  await expect(one.look({ facets: [{ layer: 0, of: 'q' }] })).rejects.toThrow(/attends 2 times side by side/)
  const { facets: [tokens] = [] } = await one.look({ facets: [{ layer: 0, of: 'token' }] })
  expect(tokens?.patches.length).toBeGreaterThan(0)
})

test('overlapping patches are refused where no library says where they lie', async () => {
  for (const [id, reason] of [
    ['timm/beit/model.16x16', /offsets of whole patches/],
    ['birder/vit-det', /windows/],
    ['timm/rope-mixed-ape/model.16x16', /rotary positions count whole patches/],
    ['birder/vit-hmlp-ln', /several convolutions/],
  ] as const) {
    using one = await opened(id)
    await expect(one.look({ stride: 1, layers: [0] })).rejects.toThrow(reason)
  }
})

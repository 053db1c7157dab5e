/** Compares attention weights, queries, keys and values of every block with those that the library attends with. */

import { Network } from '../encoder/network.js'
import type { AttentionMap, Facet, FacetChoice } from '../encoder/types.js'
import type { PatchGrid } from '../model/positions.js'
import { birderOrder } from '../model/token-layout.js'
import { specialTokens, type VitConfig } from '../model/vit-config.js'
import { concatenate } from '../tensor/concatenate.js'
import { ruleOf } from './activations.js'
import { type Comparison, type GoldenCase, type GoldenContext, readExpected, required } from './case.js'
import { judge, judgeRows } from './judge.js'
import { lookWithin } from './look-within.js'
import { openCase } from './open-case.js'

const PARTS = ['q', 'k', 'v'] as const

export async function* runAttentionCase(
  golden: GoldenCase,
  context: GoldenContext,
): AsyncGenerator<Comparison, void, undefined> {
  const { engine } = context
  const expected = await readExpected(golden, context.open)
  const { tensor } = required(golden.input, 'input', golden)
  const pixels = required(expected.get(tensor), `tensor called ${tensor}`, golden)
  await using model = await openCase(golden, context)
  using network = await Network.load(model.vit, engine)
  const { config } = network
  const { size } = required(golden.run, 'run', golden)
  const layers = Array.from({ length: config.depth }, (_, layer) => layer)
  // Birder attends with what is behind the norms of heads; transformers has none.
  const facets = layers.flatMap((layer) =>
    PARTS.map((of): FacetChoice => ({ layer, of, normed: config.queryKeyNorm && of !== 'v' })),
  )
  const wanted = { attention: { layers, from: 'all' as const }, facets, stopAfter: -1 }
  const isBirder = golden.library === 'birder'
  const rule = ruleOf(isBirder ? 'adjust' : undefined, config)
  const found = await lookWithin(network, pixels, wanted, size, rule, context)
  const order = tokenOrder(found.grid, config, isBirder)
  for (const facet of found.facets ?? []) {
    const name = `blocks.${facet.layer}.${facet.of}`
    const comparison = judge(engine.precision, golden, name, headsFirst(facet, order), expected.get(name))
    if (comparison !== null) yield comparison
  }
  for (const map of found.attention ?? []) {
    const name = `blocks.${map.layer}.attention`
    const rows = wholeMatrices(map, order)
    const comparison = judgeRows(engine.precision, golden, name, rows, expected.get(name))
    if (comparison !== null) yield comparison
  }
}

/** Lists the tokens in the library's order by their numbers here, where the class token leads. */
function tokenOrder(grid: PatchGrid, config: VitConfig, isBirder: boolean): readonly number[] {
  const tokens = Array.from({ length: specialTokens(config) + grid.rows * grid.columns }, (_, token) => token)
  return [
    ...birderOrder(Float32Array.from(tokens), 1, {
      ...config,
      width: 1,
      classFirst: config.classFirst || !isBirder,
    }),
  ]
}

/** Gives a facet as [H, T, d]. */
function headsFirst(
  { heads, width, classToken, registers, patches }: Facet,
  order: readonly number[],
): Float32Array {
  const tokens = concatenate([classToken, registers, patches])
  const each = width / heads
  const rows = Array.from({ length: heads }, (_, head) =>
    order.map((token) => tokens.subarray(token * width + head * each, token * width + (head + 1) * each)),
  )
  return concatenate(rows.flat())
}

/** Gives attention as [M, T, T]. */
function wholeMatrices(
  { headCount, rows, toClass, toRegisters, toPatches }: AttentionMap,
  order: readonly number[],
): Float32Array {
  const parts = [toClass, toRegisters, toPatches]
  const matrices = Array.from({ length: headCount }, (_, head) =>
    order.map((token) => {
      const row = concatenate(
        parts.map((part) => rowOf(part, head * rows.length + token, headCount * rows.length)),
      )
      return Float32Array.from(order, (key) => row.at(key) ?? Number.NaN)
    }),
  )
  return concatenate(matrices.flat())
}

function rowOf(values: Float32Array, row: number, rows: number): Float32Array {
  const width = values.length / rows
  return values.subarray(row * width, (row + 1) * width)
}

/** Compares patches that overlap, and what single blocks hold of them, with dino-vit-features (Amir et al. 2021). */
import { METHODS } from '../encoder/like.js'
import { Network } from '../encoder/network.js'
import type { Facet, FacetChoice } from '../encoder/types.js'
import { logBins } from '../numerics/log-bins.js'
import { type Comparison, type GoldenCase, type GoldenContext, readExpected, required } from './case.js'
import { GoldenError } from './golden-error.js'
import { compare, judge } from './judge.js'
import { lookWithin } from './look-within.js'
import { openCase } from './open-case.js'

interface FacetCase extends GoldenCase {
  readonly run?: NonNullable<GoldenCase['run']> & { readonly stride?: number; readonly bins?: boolean }
}

const FACETS: ReadonlyMap<string, FacetChoice['of']> = new Map([
  ['query', 'q'],
  ['key', 'k'],
  ['value', 'v'],
  ['token', 'token'],
])

export async function* runFacetCase(
  golden: FacetCase,
  context: GoldenContext,
): AsyncGenerator<Comparison, void, undefined> {
  const { engine } = context
  const { precision } = engine
  const expected = await readExpected(golden, context.open)
  const { tensor: input } = required(golden.input, 'input', golden)
  const pixels = required(expected.get(input), `tensor called ${input}`, golden)
  await using model = await openCase(golden, context)
  using network = await Network.load(model.vit, engine)
  const { size, stride } = required(golden.run, 'run', golden)
  const wanted = new Map([...expected.keys()].flatMap(facetOrNone))
  const { columns } = METHODS['dino-vit-features'].patches
  const facets = [...wanted.values()].map(
    (choice): FacetChoice => ({
      ...choice,
      ...(choice.of === 'token' || columns === undefined ? {} : { columns }),
    }),
  )
  const choice = {
    facets,
    stopAfter: Math.max(...facets.map(({ layer }) => layer)),
    ...(stride === undefined ? {} : { stride }),
  }
  const found = await lookWithin(network, pixels, choice, size, undefined, context)
  const byName = new Map([...wanted.keys()].map((name, at) => [name, found.facets?.[at]]))
  for (const [name, facet] of byName) {
    for (const [tensor, actual] of [
      [name, facet?.patches],
      [`${name}.special`, facet && specialOf(facet)],
    ] as const) {
      const comparison = judge(precision, golden, tensor, actual, expected.get(tensor))
      if (comparison !== null) yield comparison
    }
  }
  const { rows, columns: across } = found.grid
  yield compare(golden, 'grid', Float32Array.of(rows, across), expected.get('grid'))
  const binned = expected.get('binned')
  if (binned === undefined) return
  const keys = byName.get(`${choice.stopAfter}.key`)?.patches
  if (keys === undefined)
    throw new GoldenError('incomplete', `The golden case ${golden.id} has bins of no keys.`)
  const comparison = judge(precision, golden, 'binned', logBins(keys, rows, across), binned)
  if (comparison !== null) yield comparison
}

function facetOrNone(tensor: string): readonly (readonly [string, FacetChoice])[] {
  const [, layer, name = ''] = /^(\d+)\.(\w+)$/.exec(tensor) ?? []
  const of = FACETS.get(name)
  return layer === undefined || of === undefined ? [] : [[tensor, { layer: Number(layer), of }]]
}

function specialOf({ classToken, registers }: Facet): Float32Array {
  const out = new Float32Array(classToken.length + registers.length)
  out.set(classToken)
  out.set(registers, classToken.length)
  return out
}

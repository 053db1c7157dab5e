/** Decides which arrays `plumage features` writes, under which names and in which shapes. */
import type { AttentionMap, Facet, Features, TiledFeatures } from '../encoder/types.js'
import type { NamedArray } from '../formats/safetensors.js'
import type { FeatureFormat } from '../work/feature-folder.js'
import { UsageError } from './cli-error.js'

export const FEATURE_KINDS = ['embedding', 'patches', 'registers'] as const

export interface Wanted {
  readonly kinds: readonly string[]
  readonly preNorm: boolean
  readonly layers: readonly number[]
  /** Names the attention and the facets, in the order in which the encoder gives them. */
  readonly attention: readonly string[]
  readonly facets: readonly string[]
}

interface WantedOptions {
  readonly what?: readonly string[]
  readonly preNorm?: boolean
  readonly layers?: readonly number[]
}

/** An npy file holds one array: the patch map, unless something else was named. */
export function wantedArrays(
  options: WantedOptions,
  format: FeatureFormat | undefined,
  { attention, facets }: Pick<Wanted, 'attention' | 'facets'>,
): Wanted {
  const { preNorm = false, layers = [] } = options
  const extra = preNorm || layers.length + attention.length + facets.length > 0
  const inSafetensors = ['embedding', 'patches', 'registers']
  const inNpy = extra ? [] : ['patches']
  const kinds = options.what ?? (format === 'safetensors' ? inSafetensors : inNpy)
  const wanted = { kinds, preNorm, layers, attention, facets }
  const names = arrayNames(wanted)
  if (format !== 'safetensors' && names.length > 1) {
    throw new UsageError(
      `An npy file holds one array, and ${names.join(', ')} are ${names.length}: add --format safetensors.`,
    )
  }
  return wanted
}

/** Names the arrays that stand for what was asked for; in safetensors the weights and rows of other tokens than patches come with them. */
export function arrayNames({ kinds, preNorm, layers, attention, facets }: Wanted): readonly string[] {
  return [
    ...kinds,
    ...(preNorm ? ['patches_pre_norm'] : []),
    ...layers.map((layer) => `layers.${layer}`),
    ...attention,
    ...facets,
  ]
}

/**
 * Gives the arrays in the order of `arrayNames`.
 *
 * @param width D of the tokens
 * @param format says whether there is room for more than one: what class token and registers have stands beside what the patches have
 */
export function arraysOf(
  features: Features,
  wanted: Wanted,
  width: number,
  format: FeatureFormat,
): readonly NamedArray[] {
  const { attention = [], facets = [] } = features
  const seen = [
    ...wanted.attention.flatMap((name, at) => attentionArrays(name, attention[at] ?? missing(name))),
    ...wanted.facets.flatMap((name, at) => facetArrays(name, facets[at] ?? missing(name))),
  ]
  const kept = format === 'npy' ? seen.filter(({ name }) => arrayNames(wanted).includes(name)) : seen
  return [...outerArrays(features, wanted, width), ...kept.filter(({ values }) => values.length > 0)]
}

/** Gives the maps of a photo that was encoded in tiles, by their names. */
export function tiledArrays(map: TiledFeatures, names: readonly string[]): readonly NamedArray[] {
  const { grid, patchWidth, patches, preNorm } = map
  const shape = [grid.rows, grid.columns, patchWidth]
  return names.map((name) => ({
    name,
    shape,
    values: name === 'patches' ? patches : (preNorm ?? missing(name)),
  }))
}

function outerArrays(features: Features, wanted: Wanted, width: number): readonly NamedArray[] {
  const { grid, embedding, patches, registers, preNorm, layers } = features
  const map = [grid.rows, grid.columns, width]
  return arrayNames({ ...wanted, attention: [], facets: [] }).map((name): NamedArray => {
    switch (name) {
      case 'embedding':
        return { name, shape: [embedding.length], values: embedding }
      case 'patches':
        return { name, shape: map, values: patches }
      case 'registers':
        return { name, shape: [registers.length / width, width], values: registers }
      case 'patches_pre_norm':
        return { name, shape: map, values: preNorm ?? missing(name) }
      default: {
        const values = layers.get(Number(name.slice('layers.'.length))) ?? missing(name)
        return { name, shape: [values.length / width, width], values }
      }
    }
  })
}

function attentionArrays(name: string, map: AttentionMap): readonly NamedArray[] {
  const { headCount, rows, toPatches, toClass, toRegisters } = map
  const shaped = (values: Float32Array) => ({
    shape: [headCount, rows.length, values.length / (headCount * rows.length)],
    values,
  })
  return [
    { name, ...shaped(toPatches) },
    { name: `${name}.to_class`, ...shaped(toClass) },
    { name: `${name}.to_registers`, ...shaped(toRegisters) },
  ]
}

function facetArrays(name: string, facet: Facet): readonly NamedArray[] {
  const { width, patches, classToken, registers } = facet
  const shaped = (values: Float32Array) => ({ shape: [values.length / width, width], values })
  return [
    { name, ...shaped(patches) },
    { name: `${name}.class`, ...shaped(classToken) },
    { name: `${name}.registers`, ...shaped(registers) },
  ]
}

/** An npy file holds one array: `wantedArrays` has seen to it that no more are asked for. */
export function onlyOne<Item>(items: readonly Item[]): Item {
  const [item, ...more] = items
  if (item !== undefined && more.length === 0) return item
  throw new Error(`an npy file holds one array, and here are ${items.length}`)
}

function missing(name: string): never {
  throw new Error(`the encoder did not give ${name}`)
}

/** Decides which arrays `plumage features` writes, under which names and in which shapes. */
import type { Features } from '../encoder/types.js'
import type { NamedArray } from '../formats/safetensors.js'
import type { FeatureFormat } from '../work/feature-folder.js'
import { UsageError } from './cli-error.js'

export const FEATURE_KINDS = ['embedding', 'patches', 'registers'] as const

export interface Wanted {
  readonly kinds: readonly string[]
  readonly preNorm: boolean
  readonly layers: readonly number[]
}

interface WantedOptions {
  readonly what?: readonly string[]
  readonly preNorm?: boolean
  readonly layers?: readonly number[]
}

/** An npy file holds one array: the patch map, unless something else was named. */
export function wantedArrays(options: WantedOptions, format: FeatureFormat | undefined): Wanted {
  const { preNorm = false, layers = [] } = options
  const extra = preNorm || layers.length > 0
  const inSafetensors = ['embedding', 'patches', 'registers']
  const inNpy = extra ? [] : ['patches']
  const kinds = options.what ?? (format === 'safetensors' ? inSafetensors : inNpy)
  const wanted = { kinds, preNorm, layers }
  const names = arrayNames(wanted)
  if (format !== 'safetensors' && names.length > 1) {
    throw new UsageError(
      `An npy file holds one array, and ${names.join(', ')} are ${names.length}: add --format safetensors.`,
    )
  }
  return wanted
}

export function arrayNames({ kinds, preNorm, layers }: Wanted): readonly string[] {
  return [...kinds, ...(preNorm ? ['patches_pre_norm'] : []), ...layers.map((layer) => `layers.${layer}`)]
}

/** Gives the arrays in the order of `arrayNames`. @param width D of the tokens */
export function arraysOf(features: Features, wanted: Wanted, width: number): readonly NamedArray[] {
  const { grid, embedding, patches, registers, preNorm, layers } = features
  const map = [grid.rows, grid.columns, width]
  return arrayNames(wanted).map((name): NamedArray => {
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

/** An npy file holds one array: `wantedArrays` has seen to it that no more are asked for. */
export function onlyOne<Item>(items: readonly Item[]): Item {
  const [item, ...more] = items
  if (item !== undefined && more.length === 0) return item
  throw new Error(`an npy file holds one array, and here are ${items.length}`)
}

function missing(name: string): never {
  throw new Error(`the encoder did not give ${name}`)
}

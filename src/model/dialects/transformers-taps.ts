/** Reads which layers a backbone of transformers hands out. */
import type { Tap } from '../vit-config.js'
import type { ConfigReader } from './config-reader.js'

/**
 * Gives the layers that a backbone hands out, by `out_indices` or the names of `out_features`; null where the file has neither. Throws `contradiction` where the
 * two differ, or name a layer that is not there.
 */
export function tapsOf(
  reader: ConfigReader,
  depth: number,
  isNormed: (layer: number) => boolean,
): readonly Tap[] | null {
  const names = reader.textsOrNull('out_features')
  const layers = reader.numbersOrNull('out_indices')?.map((index) => (index < 0 ? depth + 1 + index : index))
  const named = names?.map((name) => (name === 'stem' ? 0 : Number(/^stage(\d+)$/.exec(name)?.[1])))
  const chosen = [...new Set(layers ?? named ?? [])].sort((a, b) => a - b)
  if (
    layers !== undefined &&
    named !== undefined &&
    [...new Set(named)].sort((a, b) => a - b).join() !== chosen.join()
  )
    throw reader.refuse('out_features', 'the layers that out_indices names')
  if (!chosen.every((layer) => Number.isInteger(layer) && layer >= 0 && layer <= depth))
    throw reader.refuse(
      layers === undefined ? 'out_features' : 'out_indices',
      `layers from 0 (stem) to ${depth}`,
    )
  if (chosen.length === 0) return null
  return chosen.map((layer) => ({ layer, isNormed: isNormed(layer) }))
}

/** Picks what a person says about a model from what they say about loading it. */
import type { VitHints } from '../model/dialects/dialect.js'
import { normalisationOrNull } from '../model/normalisation.js'
import { given } from './choose-recipe.js'
import type { LoadOptions } from './load-options.js'

/** The names that loading and reading share mean the same; `size` means the input's in loading, and the trained one in reading. */
export function modelHints({
  network,
  config,
  heads,
  patchSize,
  trainedSize,
  normalisation,
  embedding,
  headPooling,
  headPatchLayer,
  ignoreFields,
}: LoadOptions): VitHints {
  const size = typeof trainedSize === 'number' ? ([trainedSize, trainedSize] as const) : trainedSize
  const stats = normalisation === undefined ? undefined : (normalisationOrNull(normalisation) ?? undefined)
  const told = { network, config, heads, patchSize, size, normalisation: stats, embedding, ignoreFields }
  return given({ ...told, headPooling, headPatchLayer })
}

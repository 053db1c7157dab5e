/** Finds out how somebody else's vector was made of an image, with a model and an engine chosen as `loadEncoder` chooses them. */
import { checkOptionNames, type OptionNames } from '../../check-option-names.js'
import { given, recipeChoiceOf, recipeFor } from '../../encoder/choose-recipe.js'
import { checkLoadOptions, engineOptionsOf, type LoadOptions } from '../../encoder/load-options.js'
import { Network } from '../../encoder/network.js'
import { DEFAULT_MODEL } from '../../hub/default-model.js'
import {
  EXPLAIN_OPTIONS,
  type ExplainOptions,
  type Explanation,
  explainVector as search,
} from '../../verify/explain/explain-vector.js'
import { chooseEngine, warn } from './choose-engine.js'
import { decodeImage } from './decode-image.js'
import { NODE } from './engine-choices.js'
import { findModel, findOptionsOf } from './find-model.js'
import type { ImageSource } from './image-source.js'
import { hintsOf, openVit } from './open-vit.js'

export type { Explanation }

/** Says which model it may have been, and what the search may take. */
export interface ExplainVectorOptions extends Omit<ExplainOptions, 'signal'> {
  /** Names the model, as `loadEncoder` takes it; default: the one in the package. */
  readonly model?: string
  /** Says how the model is loaded, and what this library's own way with it is. */
  readonly load?: LoadOptions
  /** Ends the search, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal
}

const OPTIONS = {
  ...EXPLAIN_OPTIONS,
  model: true,
  load: true,
} satisfies OptionNames<ExplainVectorOptions>

/**
 * Tells how a vector was made that another program computed of an image with this model: which crop, levels, channels, filter, positions, activation,
 * epsilon and pooling. It tries them one at a time and then together, and gives what comes nearest; in `float32`, so that even GELU's two forms can be told apart.
 *
 * @param vector [any length that the network gives], float32
 * @throws what `loadEncoder` and `encode` throw; RangeError for a vector of a length that nothing of the network has
 */
export async function explainVector(
  image: ImageSource,
  vector: Float32Array,
  options: ExplainVectorOptions = {},
): Promise<Explanation> {
  checkOptionNames(options, OPTIONS)
  const { model = DEFAULT_MODEL.name, load = {}, maxRuns, onProgress, signal } = options
  checkLoadOptions(load, NODE)
  const { onWarning = warn } = load
  const { engine, resample } = await chooseEngine({ precision: 'float32', ...engineOptionsOf(load) })
  await using _owned = engine
  await using open = await openVit(
    await findModel(model, { ...findOptionsOf(load), ...given({ signal }) }),
    hintsOf(load),
  )
  const { vit } = open
  for (const assumption of vit.assumptions) onWarning(assumption)
  const recipe = recipeFor(vit, recipeChoiceOf(load))
  using network = await Network.load(vit, engine, given({ signal }))
  const positions = load.positions ?? vit.config.positions?.rule ?? 'antialias'
  const decode: Parameters<typeof search>[0]['decode'] = (how) =>
    decodeImage(image, { ...how, ...given({ signal }) })
  return await search(
    { network, recipe, positions, resample, decode },
    vector,
    given({ maxRuns, onProgress, signal }),
  )
}

/** The one call that most programs need: a model's name or path in, an encoder out. */
import type { PlainValue } from '../../checkpoint/checkpoint.js'
import { checkChoice, checkWhole } from '../../encoder/check-options.js'
import { checkRecipeChoice, given, type RecipeChoice, recipeFor } from '../../encoder/choose-recipe.js'
import { createEncoder } from '../../encoder/create-encoder.js'
import type { Decode, Encoder } from '../../encoder/types.js'
import { decodedFrom, type RgbImage } from '../../image/image.js'
import type { Recipe } from '../../image/recipe.js'
import { POSITION_RULES, type PositionRule } from '../../model/positions.js'
import { chooseEngine, type EngineOptions } from './choose-engine.js'
import { decodeImage } from './decode-image.js'
import { type FindModelOptions, findModel } from './find-model.js'
import { openVit } from './open-vit.js'

/** A path, the bytes of a file, or an image that is decoded already. */
export type ImageSource = string | Uint8Array | RgbImage

export interface LoadOptions extends EngineOptions, FindModelOptions, RecipeChoice {
  /** Birder's network name, for a file whose name does not begin with it. */
  readonly network?: string
  /** Birder-style config entries that override the file's. */
  readonly config?: { readonly [key: string]: PlainValue }
  /** Attention heads, for a file that does not say. */
  readonly heads?: number
  /** How positions are resampled for another size; default: the way of the library that wrote the file. */
  readonly positions?: PositionRule
  /** Largest image that is decoded, pixels; default 268 million. */
  readonly maxPixels?: number
}

/**
 * Opens a checkpoint, packs its weights and makes an encoder of it, which owns the engine that was chosen. `await using encoder = await loadEncoder(…)`
 * gives threads and memory back and waits for it; `using` only starts to.
 *
 * @param model `mini` (ships with the package), a name of Birder's published weights, or a path
 * @throws `HubError`, `CheckpointError`, `EngineError`
 */
export async function loadEncoder(model: string, options: LoadOptions = {}): Promise<Encoder<ImageSource>> {
  if (typeof model !== 'string' || model === '') {
    throw new TypeError(
      `A model is named by a text (mini, a name of published weights, or a path), got ${String(model)}.`,
    )
  }
  checkRecipeChoice(options)
  checkChoice('positions', options.positions, POSITION_RULES)
  checkWhole('maxPixels', options.maxPixels, 1)
  const { engine, resample } = await chooseEngine(options)
  try {
    const { path, network } = await findModel(model, options)
    const { signal, positions, maxPixels, config, heads } = options
    await using open = await openVit(path, {
      ...given({ network: options.network ?? network, config, heads, signal }),
    })
    const recipe = recipeFor(open.vit.config, open.vit.dialect, open.preprocessorFile, options)
    // Awaited here: the file must stay open until its weights have been read.
    return await createEncoder({
      vit: open.vit,
      engine,
      recipe,
      decode: decoderFor(recipe, maxPixels),
      resample,
      name: open.name,
      fingerprint: open.fingerprint,
      owned: engine,
      ...given({ positions, signal }),
    })
  } catch (error) {
    await engine[Symbol.asyncDispose]()
    throw error
  }
}

function decoderFor(recipe: Recipe, maxPixels: number | undefined): Decode<ImageSource> {
  return async (source, options) => {
    if (typeof source === 'string' || source instanceof Uint8Array) {
      return decodeImage(source, { orientation: recipe.orientation, ...given({ maxPixels }), ...options })
    }
    return decodedFrom(source, 'a path, the bytes of a file')
  }
}

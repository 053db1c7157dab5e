/** The one call that most programs need: a model's name or path in, an encoder out. */
import type { PlainValue } from '../../checkpoint/checkpoint.js'
import { checkChoice, checkSize, checkWhole } from '../../encoder/check-options.js'
import type { Decode, Encoder } from '../../encoder/types.js'
import { createEncoder } from '../../encoder.js'
import type { RgbImage } from '../../image/image.js'
import {
  namedRecipe,
  type PassOrder,
  RECIPE_NAMES,
  type Recipe,
  type RecipeName,
} from '../../image/recipe.js'
import type { DialectName } from '../../model/dialects/dialect.js'
import { POSITION_RULES, type PositionRule } from '../../model/positions.js'
import type { VitConfig } from '../../model/vit-config.js'
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

export interface RecipeChoice {
  /** How images are prepared; default: the way of the library that wrote the file. */
  readonly recipe?: RecipeName
  /** Input size in pixels, one side or (height, width); default: the recipe's own for this model. */
  readonly size?: number | readonly [height: number, width: number]
  /** Whether photos are turned upright by their EXIF orientation; default `apply`. */
  readonly orientation?: 'apply' | 'ignore'
  /** Which Pillow's order of passes a resize follows; default: the newest. */
  readonly passOrder?: PassOrder
  /** Most patches an image may have with the `native` recipe. */
  readonly maxPatches?: number
}

const RECIPES: Readonly<Record<DialectName, RecipeName>> = {
  birder: 'birder',
  facebook: 'facebook',
  'hugging-face': 'hugging-face',
  timm: 'timm',
}

/**
 * Opens a checkpoint, packs its weights and makes an encoder of it; `using encoder = await loadEncoder(…)` gives the memory back.
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
  checkChoice('recipe', options.recipe, RECIPE_NAMES)
  checkChoice('positions', options.positions, POSITION_RULES)
  checkChoice('orientation', options.orientation, ['apply', 'ignore'])
  checkChoice('passOrder', options.passOrder, ['pillow-13', 'horizontal-first'])
  checkWhole('maxPatches', options.maxPatches, 1)
  checkWhole('maxPixels', options.maxPixels, 1)
  const { engine, resample } = chooseEngine(options)
  const onDispose = () => engine[Symbol.dispose]?.()
  try {
    const { path, network } = await findModel(model, options)
    const { signal, positions, maxPixels, config, heads } = options
    await using open = await openVit(path, {
      ...defined({ network: options.network ?? network, config, heads, signal }),
    })
    const recipe = recipeFor(open.vit.config, RECIPES[open.vit.dialect], open.preprocessorFile, options)
    // Awaited here: the file must stay open until its weights have been read.
    return await createEncoder({
      vit: open.vit,
      engine,
      recipe,
      decode: decoderFor(recipe, maxPixels),
      resample,
      name: open.name,
      fingerprint: open.fingerprint,
      onDispose,
      ...defined({ positions, signal }),
    })
  } catch (error) {
    onDispose()
    throw error
  }
}

/** The recipe that an encoder of this network uses. */
export function recipeFor(
  config: VitConfig,
  fallback: RecipeName,
  preprocessorFile: PlainValue | undefined,
  choice: RecipeChoice,
): Recipe {
  const { orientation, passOrder, maxPatches } = choice
  const size = typeof choice.size === 'number' ? ([choice.size, choice.size] as const) : choice.size
  if (size !== undefined) checkSize(size, config.patchSize)
  return namedRecipe(choice.recipe ?? fallback, {
    modelSize: config.size,
    patchSize: config.patchSize,
    rgbStats: config.rgbStats,
    ...defined({
      size,
      orientation,
      passOrder,
      maxPatches,
      preprocessorFile,
    }),
  })
}

function decoderFor(recipe: Recipe, maxPixels: number | undefined): Decode<ImageSource> {
  return async (source, options) => {
    if (typeof source === 'string' || source instanceof Uint8Array) {
      return decodeImage(source, { orientation: recipe.orientation, ...defined({ maxPixels }), ...options })
    }
    if (!(source?.data instanceof Uint8Array)) {
      throw new TypeError(
        'An image is a path, the bytes of a file, or pixels as { height, width, data: Uint8Array }.',
      )
    }
    return { ...source, format: 'raw', orientation: 1, upright: true }
  }
}

/** Without the entries that are undefined, which an exact optional property may not be. */
function defined<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never
}

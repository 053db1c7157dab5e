/** Decides which recipe an encoder of a network uses, and says what of it a caller may choose. */
import { checkOptionNames, type OptionNames } from '../check-option-names.js'
import { TRANSPARENCIES } from '../image/preparation.js'
import {
  DECODE_MODES,
  type DecodeMode,
  namedRecipe,
  type PassOrder,
  RECIPE_NAMES,
  type Recipe,
  type RecipeName,
} from '../image/recipe.js'
import type { DialectName } from '../model/dialects/dialect.js'
import type { VitModel } from '../model/read-vit.js'
import { checkChoice, checkSize, checkWhole } from './check-options.js'

/** Says what of a model's recipe is to be otherwise. */
export interface RecipeChoice {
  /** Says how images are prepared; default: the way of the library that wrote the file. */
  readonly recipe?: RecipeName
  /** Sets the input size in pixels, one side or (height, width); default: the recipe's own for this model. */
  readonly size?: number | readonly [height: number, width: number]
  /** Says whether photos are turned upright by their EXIF orientation; default `apply`. */
  readonly orientation?: 'apply' | 'ignore'
  /**
   * Says what becomes of transparent pixels: `drop` takes their colours as they are stored, `white` lays them on white. Default: as the recipe's library
   * does, which is `white` for `hugging-face`, but for files of transformers before 5.21, and `drop` for all others.
   */
  readonly transparency?: 'drop' | 'white'
  /** Says which Pillow's order of passes a resize follows; default: the newest. */
  readonly passOrder?: PassOrder
  /** Bounds the patches of an image with the `native` recipe; default: four times as many as the trained size has. */
  readonly maxPatches?: number
  /** Says how much of each side a crop keeps (timm's crop_pct, Birder's center_crop), in (0, 1]; default: as the model's files say, else 1. */
  readonly cropFraction?: number
  /**
   * Says how JPEG is decoded; default `whole`. `scaled` decodes large ones at a half, a quarter or an eighth of each side, in a fraction of the time, and
   * gives other numbers, which compare with its own only: see `DecodeMode`. Only Node has it, with the native addon.
   */
  readonly decode?: DecodeMode
}

export const RECIPE_OPTIONS = {
  recipe: true,
  size: true,
  orientation: true,
  transparency: true,
  passOrder: true,
  maxPatches: true,
  cropFraction: true,
  decode: true,
} satisfies OptionNames<RecipeChoice>

/** Each library prepares images in its own way: a checkpoint laid out as one library does gets that library's recipe. */
const RECIPE_OF: Readonly<Record<DialectName, RecipeName>> = {
  birder: 'birder',
  facebook: 'facebook',
  'hugging-face': 'hugging-face',
  'open-clip': 'hugging-face',
  timm: 'timm',
}

/** Throws RangeError for what is no choice, before anything is loaded. */
export function checkRecipeChoice(choice: RecipeChoice): void {
  const { recipe, orientation, transparency, passOrder, maxPatches, decode } = choice
  checkChoice('recipe', recipe, RECIPE_NAMES)
  checkChoice('orientation', orientation, ['apply', 'ignore'])
  checkChoice('transparency', transparency, TRANSPARENCIES)
  checkChoice('passOrder', passOrder, ['pillow-13', 'horizontal-first'])
  checkChoice('decode', decode, DECODE_MODES)
  checkWhole('maxPatches', maxPatches, 1)
  if (maxPatches !== undefined && recipe !== 'native') {
    throw new RangeError(
      "The option maxPatches bounds the recipe native: add recipe: 'native', or leave it out.",
    )
  }
}

/** Picks what concerns the recipe from all that concerns a load. */
export function recipeChoiceOf(options: RecipeChoice): RecipeChoice {
  return Object.fromEntries(Object.entries(options).filter(([name]) => Object.hasOwn(RECIPE_OPTIONS, name)))
}

/**
 * Gives the recipe that an encoder of this network uses. Throws RangeError for what is no choice, and `CheckpointError` where the model's own recipe
 * is not followed here.
 */
export function recipeFor(
  { config, dialect, readPreparation }: Pick<VitModel, 'config' | 'dialect' | 'readPreparation'>,
  choice: RecipeChoice,
): Recipe {
  checkOptionNames(choice, RECIPE_OPTIONS)
  checkRecipeChoice(choice)
  const size = typeof choice.size === 'number' ? ([choice.size, choice.size] as const) : choice.size
  if (size !== undefined) checkSize(size, config.patchSize)
  const { orientation, transparency, passOrder, maxPatches, cropFraction, decode } = choice
  const own = RECIPE_OF[dialect]
  const { recipe = own } = choice
  // The files of a model are asked only where their own library's recipe is wanted: whoever names another has chosen.
  const preparation = recipe === own ? (readPreparation() ?? undefined) : undefined
  return namedRecipe(recipe, {
    modelSize: config.size,
    patchSize: config.patchSize,
    rgbStats: config.rgbStats,
    ...given({
      size,
      orientation,
      transparency,
      passOrder,
      maxPatches,
      cropFraction,
      preparation,
      decode,
    }),
  })
}

/** Leaves out the entries that are undefined, which an exact optional property may not be. */
export function given<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never
}

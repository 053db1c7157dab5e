/** Decides which recipe an encoder of a network uses, and says what of it a caller may choose. */
import type { PlainValue } from '../checkpoint/checkpoint.js'
import { namedRecipe, type PassOrder, RECIPE_NAMES, type Recipe, type RecipeName } from '../image/recipe.js'
import type { DialectName } from '../model/dialects/dialect.js'
import type { VitConfig } from '../model/vit-config.js'
import { checkChoice, checkSize, checkWhole, type OptionNames } from './check-options.js'

export interface RecipeChoice {
  /** Says how images are prepared; default: the way of the library that wrote the file. */
  readonly recipe?: RecipeName
  /** Sets the input size in pixels, one side or (height, width); default: the recipe's own for this model. */
  readonly size?: number | readonly [height: number, width: number]
  /** Says whether photos are turned upright by their EXIF orientation; default `apply`. */
  readonly orientation?: 'apply' | 'ignore'
  /** Says which Pillow's order of passes a resize follows; default: the newest. */
  readonly passOrder?: PassOrder
  /** Bounds the patches of an image with the `native` recipe. */
  readonly maxPatches?: number
}

export const RECIPE_OPTIONS = {
  recipe: true,
  size: true,
  orientation: true,
  passOrder: true,
  maxPatches: true,
} satisfies OptionNames<RecipeChoice>

/** Each library prepares images in its own way: a checkpoint laid out as one library does gets that library's recipe. */
const RECIPE_OF: Readonly<Record<DialectName, RecipeName>> = {
  birder: 'birder',
  facebook: 'facebook',
  'hugging-face': 'hugging-face',
  timm: 'timm',
}

/** Throws RangeError for what is no choice, before anything is loaded. */
export function checkRecipeChoice({ recipe, orientation, passOrder, maxPatches }: RecipeChoice): void {
  checkChoice('recipe', recipe, RECIPE_NAMES)
  checkChoice('orientation', orientation, ['apply', 'ignore'])
  checkChoice('passOrder', passOrder, ['pillow-13', 'horizontal-first'])
  checkWhole('maxPatches', maxPatches, 1)
  if (maxPatches !== undefined && recipe !== 'native') {
    throw new RangeError(
      "The option maxPatches bounds the recipe native: add recipe: 'native', or leave it out.",
    )
  }
}

/** Gives the recipe that an encoder of this network uses. */
export function recipeFor(
  config: VitConfig,
  dialect: DialectName,
  preprocessorFile: PlainValue | undefined,
  choice: RecipeChoice,
): Recipe {
  const size = typeof choice.size === 'number' ? ([choice.size, choice.size] as const) : choice.size
  if (size !== undefined) checkSize(size, config.patchSize)
  const { orientation, passOrder, maxPatches } = choice
  return namedRecipe(choice.recipe ?? RECIPE_OF[dialect], {
    modelSize: config.size,
    patchSize: config.patchSize,
    rgbStats: config.rgbStats,
    ...given({ size, orientation, passOrder, maxPatches, preprocessorFile }),
  })
}

/** Leaves out the entries that are undefined, which an exact optional property may not be. */
export function given<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never
}

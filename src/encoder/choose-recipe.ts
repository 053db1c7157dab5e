/** Which recipe an encoder of a network uses, and what of it a caller may choose. */
import type { PlainValue } from '../checkpoint/checkpoint.js'
import { namedRecipe, type PassOrder, RECIPE_NAMES, type Recipe, type RecipeName } from '../image/recipe.js'
import type { DialectName } from '../model/dialects/dialect.js'
import type { VitConfig } from '../model/vit-config.js'
import { checkChoice, checkSize, checkWhole } from './check-options.js'

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

/** Throws RangeError for what is no choice, before anything is loaded. */
export function checkRecipeChoice({ recipe, orientation, passOrder, maxPatches }: RecipeChoice): void {
  checkChoice('recipe', recipe, RECIPE_NAMES)
  checkChoice('orientation', orientation, ['apply', 'ignore'])
  checkChoice('passOrder', passOrder, ['pillow-13', 'horizontal-first'])
  checkWhole('maxPatches', maxPatches, 1)
}

/** The recipe that an encoder of this network uses; by default the one of the dialect, which has its library's name. */
export function recipeFor(
  config: VitConfig,
  dialect: DialectName,
  preprocessorFile: PlainValue | undefined,
  choice: RecipeChoice,
): Recipe {
  const size = typeof choice.size === 'number' ? ([choice.size, choice.size] as const) : choice.size
  if (size !== undefined) checkSize(size, config.patchSize)
  const { orientation, passOrder, maxPatches } = choice
  return namedRecipe(choice.recipe ?? dialect, {
    modelSize: config.size,
    patchSize: config.patchSize,
    rgbStats: config.rgbStats,
    ...given({ size, orientation, passOrder, maxPatches, preprocessorFile }),
  })
}

/** Without the entries that are undefined, which an exact optional property may not be. */
export function given<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never
}

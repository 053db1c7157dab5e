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
  type Scaling,
} from '../image/recipe.js'
import { hasSizesOfItsOwn } from '../image/resize.js'
import type { DialectName } from '../model/dialects/dialect.js'
import type { VitModel } from '../model/read-vit.js'
import { specialTokens } from '../model/vit-config.js'
import { checkChoice, checkSize, checkWhole } from './check-options.js'

/** Says what of a model's recipe is to be otherwise. */
export interface RecipeChoice {
  /** Says how images are prepared; default: the way of the library that wrote the file. */
  readonly recipe?: RecipeName
  /** Sets the input size in pixels, one side or (height, width); default: the recipe's own for this model. */
  readonly size?: number | readonly [height: number, width: number]
  /**
   * Scales each image so that its shortest edge has this many pixels; both sides then go to the nearest multiple of the patch, and nothing is cropped. It is of the
   * recipe `native`, which it stands for; default: `size`.
   */
  readonly shortest?: number
  /** Scales each image so that its longest edge has this many pixels, else as `shortest`. */
  readonly longest?: number
  /** Multiplies both sides of each image by this factor, else as `shortest`: 1 keeps a photo's own size. */
  readonly scale?: number
  /**
   * Is the most tokens that an image may have: an input of more is refused, since the time grows with their square. Default: 32,768, which are 180 x 180 patches, or as many as the model's own size has.
   */
  readonly maxTokens?: number
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
  shortest: true,
  longest: true,
  scale: true,
  maxTokens: true,
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

/** So many tokens an image may have unless more are allowed: a base-sized network takes minutes for them on a processor. */
export const DEFAULT_MAX_TOKENS = 32_768

/** Gives how each image is scaled; undefined where it is not. */
function scalingOf({ shortest, longest, scale }: RecipeChoice): Scaling | undefined {
  if (shortest !== undefined) return { edge: 'shortest', side: shortest }
  if (longest !== undefined) return { edge: 'longest', side: longest }
  return scale === undefined ? undefined : { factor: scale }
}

/** Each of these says how large an image becomes, so that one alone can. */
function checkSizes(choice: RecipeChoice): void {
  checkWhole('shortest', choice.shortest, 1)
  checkWhole('longest', choice.longest, 1)
  checkWhole('maxTokens', choice.maxTokens, 1)
  if (choice.scale !== undefined && !(choice.scale > 0 && Number.isFinite(choice.scale)))
    throw new RangeError(`The option scale is ${String(choice.scale)}; it must be a number above 0.`)
  const told = (['size', 'shortest', 'longest', 'scale'] as const).filter(
    (name) => choice[name] !== undefined,
  )
  if (told.length > 1)
    throw new RangeError(
      `The options ${told.join(' and ')} each say how large images become: give one of them.`,
    )
  const [name] = told
  if (name === undefined || name === 'size') return
  const { recipe, maxPatches } = choice
  if (recipe !== undefined && recipe !== 'native') {
    throw new RangeError(
      `The option ${name} keeps the aspect ratio of each image, as the recipe native does, and ${recipe} has sizes of its own: leave the recipe out, or give size.`,
    )
  }
  if (maxPatches !== undefined) {
    throw new RangeError(
      `The option maxPatches scales images down that have more, and ${name} says how large they become: leave one out. maxTokens refuses larger ones.`,
    )
  }
}

/** Throws RangeError for what is no choice, before anything is loaded. */
export function checkRecipeChoice(choice: RecipeChoice): void {
  checkSizes(choice)
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
  const scaling = scalingOf(choice)
  const own = RECIPE_OF[dialect]
  const { recipe = scaling === undefined ? own : 'native', maxTokens = DEFAULT_MAX_TOKENS } = choice
  // The files of a model are asked only where their own library's recipe is wanted: whoever names another has chosen.
  const preparation = recipe === own ? (readPreparation() ?? undefined) : undefined
  const made = namedRecipe(recipe, {
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
      scaling,
      mostPatches: scaling === undefined ? undefined : Math.max(1, maxTokens - specialTokens(config)),
    }),
  })
  // A model's own size is what it was made for, however many tokens that are.
  const isTold = size !== undefined || choice.maxTokens !== undefined
  if (isTold && !hasSizesOfItsOwn(made.resize)) {
    const [rows = 1, columns = 1] = made.size.map((side) => Math.floor(side / config.patchSize))
    assertTokens(made.size, specialTokens(config) + rows * columns, maxTokens)
  }
  return made
}

/** Throws RangeError where an input has more tokens than are allowed. */
export function assertTokens(
  size: readonly [height: number, width: number],
  tokens: number,
  most: number,
): void {
  if (tokens <= most) return
  const count = (tokens: number) => tokens.toLocaleString('en')
  throw new RangeError(
    `An input of ${size.join(' x ')} pixels has ${count(tokens)} tokens, and ${count(most)} are allowed: the time grows with their square. ` +
      `Choose a smaller size, or allow more: maxTokens: ${tokens} where a program loads the model, --max-tokens ${tokens} on the command line.`,
  )
}

/** Leaves out the entries that are undefined, which an exact optional property may not be. */
export function given<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never
}

/**
 * Recipes say how each library makes model input of an image. They must not be mixed: the same photo prepared two ways has two embeddings, so the
 * recipe is part of a result's identity.
 *
 * - `birder` squashes both sides to size / centre crop, then crops. It is Birder's default; the aspect ratio is lost.
 * - `birder-simple-crop` resizes to cover the size (Birder 0.8.4), then crops.
 * - `hugging-face` resizes the shortest edge to 256 and crops 224 (BitImageProcessor), or does what the model's own files say.
 * - `facebook` resizes the shortest edge to 256 and crops 224, as DINOv2's evaluation does; the crop lies one pixel elsewhere than Hugging Face's
 *   on some sizes.
 * - `timm` resizes the shortest edge to size / crop fraction, then crops, or does what the model's own files say.
 * - `native` keeps the aspect ratio and takes each side to the nearest multiple of the patch, at least one; an image of more patches than allowed
 *   is scaled down; or it scales each image so that an edge has a length, or by a factor.
 */
import type { Rescale } from '../kernels/normalise-levels.js'
import type { Filter } from '../kernels/resample-filter.js'
import type { PassOrder } from '../kernels/resample-pillow.js'
import {
  DINOV2_EVALUATION,
  type FractionPreparation,
  type Preparation,
  type Resampler,
  type Transparency,
} from './preparation.js'
import { describeSizes, type Resize, type Scaling } from './resize.js'
import { roundHalfToEven } from './round-half-to-even.js'
import { followedRecipe } from './transformers-recipe.js'

export type { PassOrder, Resampler, Resize, Scaling }
/** Names a recipe. */
export type RecipeName = 'birder' | 'birder-simple-crop' | 'hugging-face' | 'facebook' | 'timm' | 'native'

export const RECIPE_NAMES: readonly RecipeName[] = [
  'birder',
  'birder-simple-crop',
  'hugging-face',
  'facebook',
  'timm',
  'native',
]

/**
 * Says how JPEG is decoded. `whole` gives every pixel. `scaled` lets libjpeg leave out what a resize would average away (its scaling of the DCT, Pillow's
 * `draft`, libvips' shrink-on-load): each side comes at a half, a quarter or an eighth, and at least twice as long as the recipe resizes it to.
 */
export type DecodeMode = 'whole' | 'scaled'

export const DECODE_MODES: readonly DecodeMode[] = ['whole', 'scaled']

/** Is in pixels. */
type Size = readonly [height: number, width: number]

/** Holds every number of a way to make model input: resize, crop, levels. `recipeFor` gives the one that a model's library has. */
export interface Recipe {
  /** Names it after the library that prepares images so. */
  readonly name: RecipeName
  /** Says to which size an image goes before the crop. */
  readonly resize: Resize
  /** The crop keeps this, which is the input's size; where each image has a size of its own (`native`, and resizes by `patches` and `multiples`), it is the trained one. */
  readonly size: Size
  /** Says how an odd margin is split: torchvision rounds half to even, Hugging Face down. */
  readonly cropRounding: 'half-to-even' | 'down'
  /** Says how levels become numbers from 0 to 1; see `normaliseLevels`. Birder multiplies, the others divide. */
  readonly rescale: Rescale
  /** Names the filter of the resize. */
  readonly filter: Filter
  /** Fills what a crop is larger than the image by, as levels of each channel. */
  readonly padding: readonly [red: number, green: number, blue: number]
  /** Gives mean and deviation, by which levels from 0 to 1 are normalised. */
  readonly rgbStats: {
    /** [3], red, green, blue. It is subtracted. */
    readonly mean: readonly number[]
    /** [3], red, green, blue. What is left is divided by it. */
    readonly std: readonly number[]
  }
  /** Says what becomes of transparent pixels: their colours are taken as they are stored, or laid on white. */
  readonly transparency: Transparency
  /** Says whether photos are turned upright by their EXIF orientation. */
  readonly orientation: 'apply' | 'ignore'
  /** Says whose resize is followed. */
  readonly resampler: Resampler
  /** Says which pass of Pillow's resize goes first; torch's has one order only. */
  readonly passOrder: PassOrder
  /** Says how JPEG is decoded; pixels, and files of every other kind, are taken whole. */
  readonly decode: DecodeMode
}

export interface RecipeOptions {
  /** The network was trained at this size, in pixels. */
  readonly modelSize: Size
  readonly patchSize: number
  readonly rgbStats: Recipe['rgbStats']
  /** Replaces the recipe's own input size, in pixels. */
  readonly size?: Size
  readonly orientation?: 'apply' | 'ignore'
  /** Default: `white` for `hugging-face` unless the files say otherwise, `drop` for all others. */
  readonly transparency?: Transparency
  readonly passOrder?: PassOrder
  readonly resampler?: Resampler
  readonly decode?: DecodeMode
  /** Is what timm calls crop_pct and Birder center_crop: the crop keeps this part of each side. Default: as the files say, else 1. */
  readonly cropFraction?: number
  /** `native` makes this many patches at most; the default is four times as many as the trained size has. */
  readonly maxPatches?: number
  /** Says how `native` scales an image, whose patches are then bounded by `mostPatches`; default: it keeps its size. */
  readonly scaling?: Scaling
  /** Is the most patches that a scaled image may have; default: any number. */
  readonly mostPatches?: number
  /** Is what the model's own files say. A recipe of another library takes nothing from it. */
  readonly preparation?: Preparation
}

/** Throws RangeError for options that make no image. */
export function namedRecipe(name: RecipeName, options: RecipeOptions): Recipe {
  const base = common(name, options)
  const { modelSize, size = modelSize, preparation, cropFraction } = options
  checkCropFraction(name, cropFraction)
  const grown = size.map((side) => Math.trunc(side / (cropFraction ?? 1))) as [number, number]
  switch (name) {
    case 'birder':
      return { ...base, size, resize: { kind: 'squash', size: grown } }
    case 'birder-simple-crop':
      return { ...base, size, resize: { kind: 'cover', size: grown } }
    case 'timm':
      return { ...base, ...fractionRecipe(preparation?.kind === 'fraction' ? preparation : null, options) }
    case 'native': {
      const { scaling, mostPatches = Number.POSITIVE_INFINITY } = options
      if (scaling !== undefined) {
        const { patchSize } = options
        const resize = { kind: 'scaled', by: scaling, patchSize, maxPatches: mostPatches } as const
        return { ...base, size: modelSize, resize }
      }
      const { patchSize, maxPatches = Math.floor((4 * modelSize[0] * modelSize[1]) / patchSize ** 2) } =
        options
      if (!(maxPatches >= 1))
        throw new RangeError(`An image has at least one patch: maxPatches cannot be ${maxPatches}.`)
      return { ...base, size: modelSize, resize: { kind: 'patches', patchSize, maxPatches } }
    }
    case 'facebook':
      return { ...base, ...followedRecipe(DINOV2_EVALUATION, options) }
    case 'hugging-face': {
      const told =
        preparation === undefined || preparation.kind === 'fraction' ? DINOV2_EVALUATION : preparation
      const { transparency = told.transparency, resampler = told.resampler ?? base.resampler } = options
      const followed = followedRecipe(told, options)
      return { ...base, ...followed, transparency, resampler, cropRounding: 'down' }
    }
  }
}

/** Follows Birder's `classification_transform`: sizes are cut to whole pixels by truncation, as Python's `int` does. */
export function birderRecipe(
  size: Size,
  rgbStats: Recipe['rgbStats'],
  options: {
    readonly centerCrop?: number
    readonly simpleCrop?: boolean
    /** `short-side` is what Birder to 0.6.2 did: the short side became the shorter target side, the same as `cover` for square targets. */
    readonly simpleCropRule?: 'cover' | 'short-side'
    readonly orientation?: 'apply' | 'ignore'
    readonly passOrder?: PassOrder
    /** `torch-uint8` is what Birder's `tv` image loader ends up with, the default of its command line. */
    readonly resampler?: Resampler
  } = {},
): Recipe {
  const { centerCrop = 1, simpleCrop = false, simpleCropRule = 'cover' } = options
  if (!(centerCrop > 0 && centerCrop <= 1))
    throw new RangeError(`A centre crop of ${centerCrop} is no part of the image: give a number in (0, 1].`)
  const grown: Size = [Math.trunc(size[0] / centerCrop), Math.trunc(size[1] / centerCrop)]
  const base = common(simpleCrop ? 'birder-simple-crop' : 'birder', {
    ...options,
    rgbStats,
    orientation: options.orientation ?? 'ignore',
  })
  if (!simpleCrop) return { ...base, size, resize: { kind: 'squash', size: grown } }
  if (simpleCropRule === 'cover') return { ...base, size, resize: { kind: 'cover', size: grown } }
  return { ...base, size, resize: { kind: 'short-side', side: Math.trunc(Math.min(...size) / centerCrop) } }
}

/** Tells recipes apart in one line: name, sizes, what is unusual of filter and levels, orientation, and whose resize with which pass first. */
export function recipeIdentity(recipe: Recipe): string {
  const { name, resize, size, orientation, transparency, resampler, passOrder, filter, rescale, decode } =
    recipe
  const parts = [
    name,
    describeSizes(resize, size),
    ...(filter === 'bicubic' ? [] : [filter]),
    ...(typeof rescale === 'number' ? [`levels-times-${rescale}`] : []),
    orientation === 'apply' ? 'exif-applied' : 'exif-ignored',
    ...(transparency === 'white' ? ['on-white'] : []),
    resampler === 'pillow' ? passOrder : resampler,
    ...(decode === 'scaled' ? ['decoded-scaled'] : []),
  ]
  return parts.join(' ')
}

function common(
  name: RecipeName,
  options: Pick<
    RecipeOptions,
    'rgbStats' | 'orientation' | 'transparency' | 'passOrder' | 'resampler' | 'decode'
  >,
) {
  const { rgbStats, orientation = 'apply', transparency = 'drop', decode = 'whole' } = options
  const { passOrder = 'pillow-13', resampler = 'pillow' } = options
  const rescale = name === 'birder' || name === 'birder-simple-crop' ? 'multiply' : 'divide'
  return {
    name,
    rescale,
    transparency,
    rgbStats,
    orientation,
    resampler,
    passOrder,
    decode,
    filter: 'bicubic',
    padding: [0, 0, 0],
    cropRounding: 'half-to-even',
  } as const
}

const WITH_CROP_FRACTION: readonly RecipeName[] = ['birder', 'birder-simple-crop', 'timm']

function checkCropFraction(name: RecipeName, fraction: number | undefined): void {
  if (fraction === undefined) return
  if (!(fraction > 0 && fraction <= 1))
    throw new RangeError(`A crop of ${fraction} is no part of the image: give a number in (0, 1].`)
  if (WITH_CROP_FRACTION.includes(name)) return
  throw new RangeError(
    `The recipe ${name} crops to sizes of its own and takes no crop fraction; ${WITH_CROP_FRACTION.join(', ')} do.`,
  )
}

/** Follows timm's `transforms_imagenet_eval`. */
function fractionRecipe(
  preparation: FractionPreparation | null,
  options: RecipeOptions,
): Pick<Recipe, 'size' | 'resize' | 'filter'> & Partial<Recipe> {
  const { modelSize, rgbStats } = options
  const { mode = 'center', filter = 'bicubic' } = preparation ?? {}
  const size = options.size ?? preparation?.size ?? modelSize
  const fraction = options.cropFraction ?? preparation?.cropFraction ?? 1
  const [height, width] = size.map((side) => Math.floor(side / fraction)) as [number, number]
  const grown: Size = [height, width]
  if (mode === 'squash') return { size, filter, resize: { kind: 'squash', size: grown } }
  if (mode === 'border') {
    const [red = 0, green = red, blue = red] = rgbStats.mean.map((mean) => roundHalfToEven(255 * mean))
    return {
      size,
      filter,
      resize: { kind: 'keep-ratio', size: grown, edge: 'longest' },
      padding: [red, green, blue],
    }
  }
  return height === width
    ? { size, filter, resize: { kind: 'short-side', side: height } }
    : { size, filter, resize: { kind: 'keep-ratio', size: grown, edge: 'shortest' } }
}

/**
 * Recipes say how each library makes model input of an image. They must not be mixed: the same photo prepared two ways has two embeddings, so the
 * recipe is part of a result's identity.
 *
 * - `birder` squashes both sides to size / centre crop, then crops. It is Birder's default; the aspect ratio is lost.
 * - `birder-simple-crop` resizes to cover the size (Birder 0.8.4), then crops.
 * - `hugging-face` resizes the shortest edge to 256 and crops 224 (BitImageProcessor), or does what `preprocessor_config.json` says.
 * - `facebook` resizes the shortest edge to 256 and crops 224, as DINOv2's evaluation does; the crop lies one pixel elsewhere than Hugging Face's
 *   on some sizes.
 * - `timm` resizes the shortest edge to size / crop fraction, then crops.
 * - `native` keeps the aspect ratio and takes each side to the nearest multiple of the patch, at least one; an image of more patches than allowed
 *   is scaled down.
 */
import type { PassOrder } from '../kernels/resample-pillow.js'
import { EVALUATION_SIZES, type ProcessorSizes, readProcessorSizes } from './processor-file.js'

export type { PassOrder }
export type RecipeName = 'birder' | 'birder-simple-crop' | 'hugging-face' | 'facebook' | 'timm' | 'native'

export const RECIPE_NAMES: readonly RecipeName[] = [
  'birder',
  'birder-simple-crop',
  'hugging-face',
  'facebook',
  'timm',
  'native',
]

/** Says whose bicubic resize of 8-bit images is made: Pillow's, or torch's on a uint8 tensor (torchvision, Hugging Face's newer image processors). */
export type Resampler = 'pillow' | 'torch-uint8'

type Size = readonly [height: number, width: number]

export type Resize =
  | { readonly kind: 'squash'; readonly size: Size }
  /** The short side gets this length, the long side follows in proportion and is rounded down. */
  | { readonly kind: 'short-side'; readonly side: number }
  /** The result is as small as covers the size. */
  | { readonly kind: 'cover'; readonly size: Size }
  | { readonly kind: 'patches'; readonly patchSize: number; readonly maxPatches: number }

export interface Recipe {
  readonly name: RecipeName
  readonly resize: Resize
  /** The crop keeps this, which is the input's size; with `native` the size is each image's own, and this is the trained one. */
  readonly size: Size
  /** Says how an odd margin is split: torchvision rounds half to even, Hugging Face down. */
  readonly cropRounding: 'half-to-even' | 'down'
  /** Says how levels become numbers from 0 to 1; see `normaliseLevels`. Birder multiplies, the others divide. */
  readonly rescale: 'multiply' | 'divide'
  readonly rgbStats: { readonly mean: readonly number[]; readonly std: readonly number[] }
  /** Says what becomes of the colour that a file declares transparent. */
  readonly transparentColour: 'keep' | 'white'
  readonly orientation: 'apply' | 'ignore'
  readonly resampler: Resampler
  /** Says which pass of Pillow's resize goes first; torch's has one order only. */
  readonly passOrder: PassOrder
}

export interface RecipeOptions {
  /** The network was trained at this size, in pixels. */
  readonly modelSize: Size
  readonly patchSize: number
  readonly rgbStats: Recipe['rgbStats']
  /** Replaces the recipe's own input size, in pixels. */
  readonly size?: Size
  readonly orientation?: 'apply' | 'ignore'
  readonly passOrder?: PassOrder
  readonly resampler?: Resampler
  /** Is what `timm` calls crop_pct; the default is 1. */
  readonly cropFraction?: number
  /** `native` makes this many patches at most; the default is four times as many as the trained size has. */
  readonly maxPatches?: number
  /** Is the parsed `preprocessor_config.json` of a Hugging Face model. */
  readonly preprocessorFile?: unknown
}

/** Throws RangeError for options that make no image, `ImageError` `unsupported` for a `preprocessorFile` that asks for something else. */
export function namedRecipe(name: RecipeName, options: RecipeOptions): Recipe {
  const base = common(name, options)
  const { modelSize, size = modelSize } = options
  switch (name) {
    case 'birder':
      return { ...base, size, resize: { kind: 'squash', size } }
    case 'birder-simple-crop':
      return { ...base, size, resize: { kind: 'cover', size } }
    case 'timm':
      return {
        ...base,
        size,
        resize: { kind: 'short-side', side: Math.floor(Math.min(...size) / (options.cropFraction ?? 1)) },
      }
    case 'native': {
      const { patchSize, maxPatches = Math.floor((4 * modelSize[0] * modelSize[1]) / patchSize ** 2) } =
        options
      if (!(maxPatches >= 1))
        throw new RangeError(`An image has at least one patch: maxPatches cannot be ${maxPatches}.`)
      return { ...base, size: modelSize, resize: { kind: 'patches', patchSize, maxPatches } }
    }
    case 'facebook':
      return { ...base, ...evaluation(EVALUATION_SIZES, options.size) }
    case 'hugging-face':
      return {
        ...base,
        ...evaluation(readProcessorSizes(options.preprocessorFile), options.size),
        cropRounding: 'down',
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

/** Tells recipes apart in one line: name, sizes, orientation, and whose resize with which pass first. */
export function recipeIdentity({ name, resize, size, orientation, resampler, passOrder }: Recipe): string {
  const exif = orientation === 'apply' ? 'exif-applied' : 'exif-ignored'
  return `${name} ${describeSizes(resize, size)} ${exif} ${resampler === 'pillow' ? passOrder : resampler}`
}

/** Only the size is named where the crop keeps all that the resize gives, as for most. */
function describeSizes(resize: Resize, size: Size): string {
  const crop = size.join('x')
  switch (resize.kind) {
    case 'squash':
    case 'cover':
      return resize.size.join('x') === crop ? crop : `${resize.size.join('x')} crop ${crop}`
    case 'short-side':
      return `${resize.side} crop ${crop}`
    case 'patches':
      return `patch ${resize.patchSize} max ${resize.maxPatches}`
  }
}

function common(
  name: RecipeName,
  options: Pick<RecipeOptions, 'rgbStats' | 'orientation' | 'passOrder' | 'resampler'>,
) {
  const { rgbStats, orientation = 'apply', passOrder = 'pillow-13', resampler = 'pillow' } = options
  const rescale = name === 'birder' || name === 'birder-simple-crop' ? 'multiply' : 'divide'
  const transparentColour = name === 'hugging-face' ? 'white' : 'keep'
  return {
    name,
    rescale,
    transparentColour,
    rgbStats,
    orientation,
    resampler,
    passOrder,
    cropRounding: 'half-to-even',
  } as const
}

/** Another input size than the trained one scales the edge along. */
function evaluation({ resize, crop }: ProcessorSizes, size?: Size): { size: Size; resize: Resize } {
  if (typeof resize !== 'number') {
    const kept = size ?? crop ?? resize
    const grown = (side: 0 | 1) =>
      crop === null ? kept[side] : Math.round((resize[side] * kept[side]) / crop[side])
    return { size: kept, resize: { kind: 'squash', size: [grown(0), grown(1)] } }
  }
  const trained = crop ?? [resize, resize]
  const kept = size ?? trained
  const side = Math.round((resize * Math.min(...kept)) / Math.min(...trained))
  return { size: kept, resize: { kind: 'short-side', side } }
}

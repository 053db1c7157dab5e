/**
 * Recipes: how each library makes model input of an image. They must not be mixed: the same photo prepared two ways has two embeddings, so the
 * recipe is part of a result's identity.
 *
 * - `birder`: both sides squashed to size / centre crop, then the crop. Birder's default; the aspect ratio is lost.
 * - `birder-simple-crop`: resized to cover the size (Birder 0.8.4), then cropped.
 * - `hugging-face`: shortest edge 256, crop 224 (BitImageProcessor), or what `preprocessor_config.json` says.
 * - `facebook`: shortest edge 256, crop 224, as DINOv2's evaluation does; the crop lies one pixel elsewhere than Hugging Face's on some sizes.
 * - `timm`: shortest edge size / crop fraction, then the crop.
 * - `native`: the aspect ratio kept, each side to the nearest multiple of the patch, at least one; an image of more patches than allowed is scaled down.
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

/** Whose bicubic resize of 8-bit images: Pillow's, or torch's on a uint8 tensor (torchvision, Hugging Face's newer image processors). */
export type Resampler = 'pillow' | 'torch-uint8'

type Size = readonly [height: number, width: number]

export type Resize =
  | { readonly kind: 'squash'; readonly size: Size }
  /** The short side to this length, the long side in proportion, rounded down. */
  | { readonly kind: 'short-side'; readonly side: number }
  /** As small as covers the size. */
  | { readonly kind: 'cover'; readonly size: Size }
  | { readonly kind: 'patches'; readonly patchSize: number; readonly maxPatches: number }

export interface Recipe {
  readonly name: RecipeName
  readonly resize: Resize
  /** What the crop keeps, = the input's size; with `native` the size is each image's own, and this is the trained one. */
  readonly size: Size
  /** How an odd margin is split: torchvision rounds half to even, Hugging Face down. */
  readonly cropRounding: 'half-to-even' | 'down'
  /** How levels become numbers from 0 to 1: Birder multiplies by the float32 nearest to 1 / 255, the others divide; half of the levels differ in the last bit. */
  readonly rescale: 'multiply' | 'divide'
  readonly rgbStats: { readonly mean: readonly number[]; readonly std: readonly number[] }
  /** What becomes of the colour that a file declares transparent. */
  readonly transparentColour: 'keep' | 'white'
  readonly orientation: 'apply' | 'ignore'
  readonly resampler: Resampler
  /** Which pass of Pillow's resize goes first; torch's has one order only. */
  readonly passOrder: PassOrder
}

export interface RecipeOptions {
  /** The network's trained size. */
  readonly modelSize: Size
  readonly patchSize: number
  readonly rgbStats: Recipe['rgbStats']
  /** Input size instead of the recipe's own. */
  readonly size?: Size
  readonly orientation?: 'apply' | 'ignore'
  readonly passOrder?: PassOrder
  readonly resampler?: Resampler
  /** What `timm` calls crop_pct; default 1. */
  readonly cropFraction?: number
  /** Most patches with `native`; default: four times as many as the trained size has. */
  readonly maxPatches?: number
  /** `preprocessor_config.json` of a Hugging Face model. */
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

/** Birder's `classification_transform`: sizes are cut to whole pixels by truncation, as Python's `int` does. */
export function birderRecipe(
  size: Size,
  rgbStats: Recipe['rgbStats'],
  options: {
    readonly centerCrop?: number
    readonly simpleCrop?: boolean
    /** What Birder to 0.6.2 did: the short side to the shorter target side. The same as `cover` for square targets. */
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

/** One line that tells recipes apart: name, sizes, orientation, and whose resize with which pass first. */
export function recipeIdentity({ name, resize, size, orientation, resampler, passOrder }: Recipe): string {
  const exif = orientation === 'apply' ? 'exif-applied' : 'exif-ignored'
  return `${name} ${describeSizes(resize, size)} ${exif} ${resampler === 'pillow' ? passOrder : resampler}`
}

/** Only the size where the crop keeps all that the resize gives, as for most. */
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

/** Another input size scales the edge along. */
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

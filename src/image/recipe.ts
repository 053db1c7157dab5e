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
  /** What becomes of a palette's transparent colour. */
  readonly transparentColour: 'keep' | 'white'
  readonly orientation: 'apply' | 'ignore'
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
  /** What `timm` calls crop_pct; default 1. */
  readonly cropFraction?: number
  /** Most patches with `native`; default: four times as many as the trained size has. */
  readonly maxPatches?: number
  /** `preprocessor_config.json` of a Hugging Face model. */
  readonly preprocessorFile?: unknown
}

/** Hugging Face's and Facebook's evaluation of DINOv2: a crop of 224 from 256. */
const EVALUATION = { side: 256, crop: 224 }

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
      const { patchSize, maxPatches = (4 * (modelSize[0] * modelSize[1])) / patchSize ** 2 } = options
      return { ...base, size: modelSize, resize: { kind: 'patches', patchSize, maxPatches } }
    }
    case 'facebook':
      return { ...base, ...evaluation(EVALUATION.side, EVALUATION.crop, options.size) }
    case 'hugging-face': {
      const { side, crop } = processorSizes(options.preprocessorFile)
      return { ...base, ...evaluation(side, crop, options.size), cropRounding: 'down' }
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

/** One line that tells recipes apart: name, sizes, orientation, the resize's pass order. */
export function recipeIdentity({ name, resize, size, orientation, passOrder }: Recipe): string {
  const sizes = {
    squash: () =>
      resize.kind === 'squash' && `${resize.size}` !== `${size}`
        ? `${resize.size.join('x')} crop ${size.join('x')}`
        : size.join('x'),
    'short-side': () => `${resize.kind === 'short-side' ? resize.side : ''} crop ${size.join('x')}`,
    cover: () => size.join('x'),
    patches: () => (resize.kind === 'patches' ? `patch ${resize.patchSize} max ${resize.maxPatches}` : ''),
  }[resize.kind]()
  return `${name} ${sizes} exif-${orientation === 'apply' ? 'applied' : 'ignored'} ${passOrder}`
}

function common(name: RecipeName, options: Pick<RecipeOptions, 'rgbStats' | 'orientation' | 'passOrder'>) {
  const { rgbStats, orientation = 'apply', passOrder = 'pillow-13' } = options
  const rescale = name === 'birder' || name === 'birder-simple-crop' ? 'multiply' : 'divide'
  const transparentColour = name === 'hugging-face' ? 'white' : 'keep'
  return {
    name,
    rescale,
    transparentColour,
    rgbStats,
    orientation,
    passOrder,
    cropRounding: 'half-to-even',
  } as const
}

/** Another input size scales the edge along. */
function evaluation(side: number, crop: number, size: Size = [crop, crop]): { size: Size; resize: Resize } {
  return { size, resize: { kind: 'short-side', side: Math.round((side * Math.min(...size)) / crop) } }
}

function processorSizes(file: unknown): { side: number; crop: number } {
  const { size, crop_size: crop } = (file ?? {}) as {
    size?: { shortest_edge?: unknown }
    crop_size?: { height?: unknown }
  }
  const number = (value: unknown, fallback: number) =>
    typeof value === 'number' && value >= 1 ? value : fallback
  return { side: number(size?.shortest_edge, EVALUATION.side), crop: number(crop?.height, EVALUATION.crop) }
}

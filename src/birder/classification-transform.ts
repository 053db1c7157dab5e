/** Follows Birder's `classification_transform` from an image to normalised pixels, bit for bit what Pillow and torchvision make of it. */
import { checkOptionNames, type OptionNames } from '../check-option-names.js'
import type { RgbImage } from '../image/image.js'
import { prepareImage } from '../image/prepare-image.js'
import { birderRecipe, type Recipe } from '../image/recipe.js'
import type { RgbStats } from '../model/vit-config.js'
import { type NdArray, ndArray } from './nd-array.js'

/** Says how the image is cropped. */
export interface TransformOptions {
  /** The crop keeps this part of each side, in (0, 1]; default 1, which resizes to the size itself. */
  readonly centerCrop?: number
  /** Keeps the aspect ratio and crops, instead of squashing; default `false`. */
  readonly simpleCrop?: boolean
}

const TRANSFORM_OPTIONS = { centerCrop: true, simpleCrop: true } satisfies OptionNames<TransformOptions>

/** Takes an image and gives [C, height, width]. */
export interface ClassificationTransform {
  (image: RgbImage): NdArray
  /** Holds the numbers that it goes by. */
  readonly recipe: Recipe
}

/**
 * Makes a transform as Birder's `classification_transform` does.
 *
 * @param size in pixels, (height, width); usually `getSizeFromSignature(modelInfo.signature)` gives it
 * @throws RangeError for a crop that is none, or an unknown option; the transform throws as `prepareImage`
 */
export function classificationTransform(
  size: readonly [height: number, width: number],
  rgbStats: RgbStats,
  options: TransformOptions = {},
): ClassificationTransform {
  checkOptionNames(options, TRANSFORM_OPTIONS)
  const recipe = birderRecipe(size, rgbStats, options)
  const transform = (image: RgbImage) => {
    const { pixels, height, width } = prepareImage(
      { ...image, format: 'raw', orientation: 1, upright: false },
      recipe,
    )
    return ndArray(pixels, [3, height, width])
  }
  return Object.assign(transform, { recipe })
}

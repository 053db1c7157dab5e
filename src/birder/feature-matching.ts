/** Matches the patches of two images as `birder.tools.feature_matching` does (tools/feature_matching.py), and says where they lie in the images' own pixels. */
import { checkOptionNames, type OptionNames } from '../check-option-names.js'
import { EngineError } from '../engine/engine-error.js'
import type { RgbImage } from '../image/image.js'
import type { Recipe } from '../image/recipe.js'
import { resizedSize } from '../image/resized-size.js'
import { roundHalfToEven } from '../image/round-half-to-even.js'
import type { PatchGrid } from '../model/positions.js'
import { matchPatches } from '../picture/match-patches.js'
import type { ClassificationTransform } from './classification-transform.js'
import { patchRows, stageOf } from './introspection/feature-pca.js'
import type { NdArray } from './nd-array.js'
import type { BirderNet } from './net.js'

/** Says which pairs are kept. */
export interface FeatureMatchingOptions {
  /** Takes this of the maps that `detectionFeatures` gives; default: the last. */
  readonly stage?: string
  /** Keeps pairs of at least this cosine similarity, from -1 to 1; default 0.7. */
  readonly threshold?: number
  /** Keeps pairs that are better than the second best by so much, from 0 to 2; default 0. */
  readonly margin?: number
  /** Keeps the best so many; default: all. */
  readonly limit?: number
  /** Ends the runs, which then reject with the signal's reason. */
  readonly signal?: AbortSignal
}

/** Is a patch of an image, in its own pixels, each rounded as Python does. */
export interface MatchedPatch {
  /** Numbers the patch, row by row from the top left. */
  readonly index: number
  /** Is the part of the image that it has seen. */
  readonly box: readonly [x0: number, y0: number, x1: number, y1: number]
  /** Is its middle. */
  readonly center: readonly [x: number, y: number]
}

/** Is a pair of patches. */
export interface FeatureMatch {
  /** Is that of the first image. */
  readonly patch1: MatchedPatch
  /** Is that of the second image. */
  readonly patch2: MatchedPatch
  /** Is their cosine similarity. */
  readonly score: number
}

/** Holds the pairs of two images. */
export interface FeatureMatchingResult {
  /** Lists them, the most similar first. */
  readonly matches: readonly FeatureMatch[]
  /** Is the largest similarity of two mutual neighbours before the threshold; null where there are none. */
  readonly thresholdSimilarity: number | null
}

const OPTIONS = {
  stage: true,
  threshold: true,
  margin: true,
  limit: true,
  signal: true,
} satisfies OptionNames<FeatureMatchingOptions>

/**
 * Runs both images, and finds the patches that are each other's nearest by the features before the final norm. Throws as `BirderNet.forward` and the
 * transform; RangeError for a stage that is not there, or options that make no sense; `EngineError` `unsupported` for a transform that is none of Birder's.
 */
export async function featureMatching(
  net: BirderNet,
  image1: RgbImage,
  image2: RgbImage,
  transform: ClassificationTransform,
  options: FeatureMatchingOptions = {},
): Promise<FeatureMatchingResult> {
  checkOptionNames(options, OPTIONS)
  const { stage, signal, ...matching } = options
  const run = signal === undefined ? {} : { signal }
  const featuresOf = async (image: RgbImage) =>
    stageOf(await net.detectionFeatures(transform(image).unsqueeze(0), run), stage)
  const [first, second] = [await featuresOf(image1), await featuresOf(image2)]
  const { matches, closest } = await matchPatches(mapOf(first), mapOf(second), { ...matching, ...run })
  const [of1, of2] = [
    patchesOf(gridOf(first), featureRegion(image1, transform.recipe)),
    patchesOf(gridOf(second), featureRegion(image2, transform.recipe)),
  ]
  return {
    matches: matches.map(({ from, to, score }) => ({ patch1: of1(from), patch2: of2(to), score })),
    thresholdSimilarity: closest,
  }
}

function mapOf(features: NdArray) {
  return { patches: patchRows(features, false), grid: gridOf(features) }
}

function gridOf({ shape: [, , rows = 0, columns = 0] }: NdArray): PatchGrid {
  return { rows, columns }
}

interface Region {
  readonly left: number
  readonly top: number
  readonly right: number
  readonly bottom: number
}

/** Follows `_feature_region`: where the crop lies in the image. */
function featureRegion({ height, width }: RgbImage, { resize, size }: Recipe): Region {
  if (resize.kind !== 'squash' && resize.kind !== 'cover')
    throw new EngineError('unsupported', 'Where patches lie is known for a transform that classificationTransform has made.')
  const [resizedHeight, resizedWidth] = resizedSize({ height, width }, resize)
  const top = roundHalfToEven((resizedHeight - size[0]) / 2)
  const left = roundHalfToEven((resizedWidth - size[1]) / 2)
  const [scaleX, scaleY] = [resizedWidth / width, resizedHeight / height]
  return {
    left: left / scaleX,
    top: top / scaleY,
    right: (left + size[1]) / scaleX,
    bottom: (top + size[0]) / scaleY,
  }
}

/** Follows `_cell_box` and `_cell_center`. */
function patchesOf({ rows, columns }: PatchGrid, { left, top, right, bottom }: Region) {
  const [width, height] = [right - left, bottom - top]
  return (index: number): MatchedPatch => {
    const [row, column] = [Math.floor(index / columns), index % columns]
    const x0 = roundHalfToEven(left + (column * width) / columns)
    const y0 = roundHalfToEven(top + (row * height) / rows)
    const x1 = roundHalfToEven(left + ((column + 1) * width) / columns)
    const y1 = roundHalfToEven(top + ((row + 1) * height) / rows)
    return { index, box: [x0, y0, x1, y1], center: [Math.floor((x0 + x1) / 2), Math.floor((y0 + y1) / 2)] }
  }
}

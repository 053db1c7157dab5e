/**
 * What the files of a model say about how its library makes input of an image. The two libraries that keep such files think in different numbers:
 * transformers in the edges of a resize and of a crop, timm in the part of an image that is kept.
 */
import type { Rescale } from '../kernels/normalise-levels.js'
import type { Filter } from '../kernels/resample-filter.js'

/**
 * Says what becomes of transparent pixels: `drop` takes their colours as they are stored, and `white` lays them on white by their alpha, or paints one
 * colour white that the file declares transparent.
 */
export type Transparency = (typeof TRANSPARENCIES)[number]

/** Lists what can become of transparent pixels. */
export const TRANSPARENCIES = ['drop', 'white'] as const

/**
 * Says whose resize is made: Pillow's, or torch's on a uint8 tensor (torchvision, Hugging Face's newer image processors), both of 8-bit levels that are
 * rounded after each pass; or torch's on float32, whose levels are never rounded (transformers' DINOv3, which rescales before it resizes).
 */
export type Resampler = 'pillow' | 'torch-uint8' | 'torch-float32'

/** Is in pixels. */
type Size = readonly [height: number, width: number]

/** Holds what a model's own files say about making input of an image. */
export type Preparation = EdgePreparation | FractionPreparation | MultiplePreparation | PatchPreparation

/** Thinks in edges, as transformers does. */
export interface EdgePreparation {
  readonly kind: 'edges'
  /** Is the shortest edge's length, or both sides; null leaves the image's own size. */
  readonly resize: number | Size | null
  /** Is null where what the resize gives is kept whole. */
  readonly crop: Size | null
  /** Names the filter of the resize. */
  readonly filter: Filter
  /** Says how levels become numbers. */
  readonly rescale: Rescale
  /** Says what becomes of transparent pixels. */
  readonly transparency: Transparency
  /** Says whose resize is followed; default: Pillow's. */
  readonly resampler?: Resampler
}

/** Gives each image a size of its own, of so many patches at most, as transformers' SigLIP 2 does. */
export interface PatchPreparation {
  readonly kind: 'patches'
  /** Counts the patches of an image at most. */
  readonly maxPatches: number
  /** Names the filter of the resize. */
  readonly filter: Filter
  /** Says how levels become numbers. */
  readonly rescale: Rescale
  /** Says what becomes of transparent pixels. */
  readonly transparency: Transparency
  /** Says whose resize is followed; default: Pillow's. */
  readonly resampler?: Resampler
}

/** Takes sides to multiples of a number, as transformers' DPT does, so that images may have sizes of their own. */
export interface MultiplePreparation {
  readonly kind: 'multiples'
  /** Is null where the image keeps its own size. */
  readonly resize: {
    /** Is what the sides go to, as near as the multiple lets them. */
    readonly size: Size
    /** Divides each side. */
    readonly multiple: number
    /** Says whether both sides change by one ratio: the one of the two that changes the image less. */
    readonly keepRatio: boolean
  } | null
  /** Divides each side after zeros were put around the normalised pixels; 1 where none are. */
  readonly divisor: number
  /** Names the filter of the resize. */
  readonly filter: Filter
  /** Says how levels become numbers. */
  readonly rescale: Rescale
  /** Says what becomes of transparent pixels. */
  readonly transparency: Transparency
  /** Says whose resize is followed; default: Pillow's. */
  readonly resampler?: Resampler
}

/** Thinks in the part that is kept, as timm does. */
export interface FractionPreparation {
  readonly kind: 'fraction'
  /** Is the input's size in pixels; null stands for the trained one. */
  readonly size: Size | null
  /** Says how much of each side of the resized image the crop keeps. */
  readonly cropFraction: number
  /** `center` cuts off what is too long, `squash` gives up the aspect ratio, `border` pads what is too short with the mean colour. */
  readonly mode: 'center' | 'squash' | 'border'
  /** Names the filter of the resize. */
  readonly filter: Filter
}

/** Hugging Face's and Facebook's evaluations of DINOv2 crop 224 from 256; transparency is that of transformers' newest. */
export const DINOV2_EVALUATION: EdgePreparation = {
  kind: 'edges',
  resize: 256,
  crop: [224, 224],
  filter: 'bicubic',
  rescale: 'divide',
  transparency: 'white',
}

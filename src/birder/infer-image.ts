/** Follows Birder's `infer_image` and `infer_batch` (inference/classification.py). */
import { checkOptionNames, type OptionNames } from '../check-option-names.js'
import { meanOverCrops } from '../image/five-crops.js'
import type { RgbImage } from '../image/image.js'
import { softmaxRows } from '../kernels/softmax.js'
import type { ClassificationTransform } from './classification-transform.js'
import { imageShape, type NdArray, ndArray } from './nd-array.js'
import type { BirderNet } from './net.js'

/** Says what is wanted of the images. */
export interface InferOptions {
  /** Returns the embedding too; default `false`. As in Birder, `tta` is ignored then. */
  readonly returnEmbedding?: boolean
  /** Returns scores instead of probabilities; default `false`. */
  readonly returnLogits?: boolean
  /** Augments at test time: the result is the mean over five crops of 80 %; default `false`. */
  readonly tta?: boolean
  /** Ends the run, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal
}

export const INFER_OPTIONS = {
  returnEmbedding: true,
  returnLogits: true,
  tta: true,
  signal: true,
} satisfies OptionNames<InferOptions>

/** `out` [B, N] holds probabilities, or scores; the embedding [B, D] is there where it was asked for. */
export type InferResult = readonly [out: NdArray, embedding: NdArray | null]
/** Is the result where the embedding was asked for. */
export type InferResultWithEmbedding = readonly [out: NdArray, embedding: NdArray]
/** Is said where the embedding is wanted, so that its type is known. */
export type InferOptionsWithEmbedding = InferOptions & { readonly returnEmbedding: true }

/**
 * Takes one image through transform and network. The image is used as it lies: EXIF orientation is not applied, as in Birder. For an encoder
 * without a classifier `out` is the softmax of the embedding, which carries no meaning of its own, unless the network was loaded with a head. Throws
 * `CheckpointError` `other-identity` for a transform that the head was not trained with.
 */
export async function inferImage(
  net: BirderNet,
  image: RgbImage,
  transform: ClassificationTransform,
  options: InferOptionsWithEmbedding,
): Promise<InferResultWithEmbedding>
export async function inferImage(
  net: BirderNet,
  image: RgbImage,
  transform: ClassificationTransform,
  options?: InferOptions,
): Promise<InferResult>
export async function inferImage(
  net: BirderNet,
  image: RgbImage,
  transform: ClassificationTransform,
  options: InferOptions = {},
): Promise<InferResult> {
  net.assertHeadTakes(transform.recipe)
  return inferBatch(net, transform(image).unsqueeze(0), options)
}

/**
 * Takes transformed pixels, [B, C, height, width], through the network. Throws `EngineError` as `BirderNet.forward`;
 * RangeError for an unknown option; the signal's reason.
 */
export async function inferBatch(
  net: BirderNet,
  inputs: NdArray,
  options: InferOptionsWithEmbedding,
): Promise<InferResultWithEmbedding>
export async function inferBatch(
  net: BirderNet,
  inputs: NdArray,
  options?: InferOptions,
): Promise<InferResult>
export async function inferBatch(
  net: BirderNet,
  inputs: NdArray,
  options: InferOptions = {},
): Promise<InferResult> {
  checkOptionNames(options, INFER_OPTIONS)
  const { returnEmbedding = false, returnLogits = false, tta = false, signal } = options
  const run = signal === undefined ? {} : { signal }
  const finish = (logits: NdArray) => (returnLogits ? logits : probabilities(logits))
  if (returnEmbedding) {
    const { embedding, logits } = await net.forwardWithEmbedding(inputs, run)
    return [finish(logits), embedding]
  }
  if (!tta) return [finish(await net.forward(inputs, run)), null]

  const { batch, ...size } = imageShape(inputs)
  const mean = await meanOverCrops(
    inputs.data,
    size,
    async (crop) => finish(await net.forward(ndArray(crop, inputs.shape), run)).data,
  )
  return [ndArray(mean, [batch, mean.length / batch]), null]
}

/** Turns each row [N] of scores into probabilities. Throws RangeError for an array without rows. */
export function probabilities({ data, shape }: NdArray): NdArray {
  const width = shape.at(-1)
  if (width === undefined) throw new RangeError('Scores are rows [N], and an array of shape [] has none.')
  return ndArray(softmaxRows(data, width), shape)
}

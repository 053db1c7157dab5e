/** Birder's `infer_image` and `infer_batch` (inference/classification.py). */
import type { RgbImage } from '../image/image.js'
import { antialiasTaps, resampleTable } from '../kernels/resample-table.js'
import { softmaxRows } from '../kernels/softmax.js'
import type { ClassificationTransform } from './classification-transform.js'
import { type NdArray, ndArray } from './nd-array.js'
import type { BirderNet } from './net.js'

export interface InferOptions {
  /** Also return the embedding. As in Birder, `tta` is ignored then. */
  readonly returnEmbedding?: boolean
  /** Scores instead of probabilities. */
  readonly returnLogits?: boolean
  /** Test-time augmentation: the mean over five crops of 80 %. */
  readonly tta?: boolean
  readonly signal?: AbortSignal
}

/** `out` [B, N] probabilities, or scores; and the embedding [B, D] where it was asked for. */
export type InferResult = readonly [out: NdArray, embedding: NdArray | null]

/**
 * One image through transform and network. The image is used as it lies: EXIF orientation is not applied, as in Birder. For an encoder
 * without a classifier `out` is the softmax of the embedding, which carries no meaning of its own.
 */
export async function inferImage(
  net: BirderNet,
  image: RgbImage,
  transform: ClassificationTransform,
  options: InferOptions = {},
): Promise<InferResult> {
  return inferBatch(net, transform(image).unsqueeze(0), options)
}

export async function inferBatch(
  net: BirderNet,
  inputs: NdArray,
  options: InferOptions = {},
): Promise<InferResult> {
  const { returnEmbedding = false, returnLogits = false, tta = false, signal } = options
  const run = signal === undefined ? {} : { signal }
  const finish = (logits: NdArray) => (returnLogits ? logits : probabilities(logits))
  if (returnEmbedding) {
    const { embedding, logits } = await net.forwardWithEmbedding(inputs, run)
    return [finish(logits), embedding]
  }
  if (!tta) return [finish(await net.forward(inputs, run)), null]

  let sum: Float64Array | null = null
  let shape: readonly number[] = []
  const crops = fiveCrops(inputs)
  for (const crop of crops) {
    const out = finish(await net.forward(crop, run))
    sum ??= new Float64Array(out.data.length)
    shape = out.shape
    for (let i = 0; i < sum.length; i++) sum[i] += out.data[i] / crops.length
  }
  return [ndArray(Float32Array.from(sum ?? []), shape), null]
}

/** Each row [N] as probabilities. */
export function probabilities({ data, shape }: NdArray): NdArray {
  return ndArray(softmaxRows(data, shape[shape.length - 1]), shape)
}

/** The part of each side that a crop keeps. */
const CROP = 0.8

/** Corners and centre of the normalised pixels, each resized back to full size with antialiased bicubic, on floats as torch does. */
function fiveCrops({ data, shape }: NdArray): readonly NdArray[] {
  const [batch, channels, height, width] = shape
  const [cropHeight, cropWidth] = [Math.trunc(height * CROP), Math.trunc(width * CROP)]
  const [lastTop, lastLeft] = [height - cropHeight, width - cropWidth]
  const corners = [
    [0, 0],
    [0, lastLeft],
    [lastTop, 0],
    [lastTop, lastLeft],
    [roundHalfToEven(lastTop / 2), roundHalfToEven(lastLeft / 2)],
  ]
  const vertical = antialiasTaps(cropHeight, height)
  const horizontal = antialiasTaps(cropWidth, width)
  return corners.map(([top, left]) => {
    const out = new Float32Array(data.length)
    const crop = new Float32Array(cropHeight * cropWidth)
    for (let plane = 0; plane < batch * channels; plane++) {
      const from = plane * height * width + top * width + left
      for (let y = 0; y < cropHeight; y++)
        crop.set(data.subarray(from + y * width, from + y * width + cropWidth), y * cropWidth)
      out.set(resampleTable(crop, [cropHeight, cropWidth], vertical, horizontal), plane * height * width)
    }
    return ndArray(out, shape)
  })
}

/** Python's `round`. */
function roundHalfToEven(value: number): number {
  const floor = Math.floor(value)
  if (value - floor !== 0.5) return Math.round(value)
  return floor % 2 === 0 ? floor : floor + 1
}

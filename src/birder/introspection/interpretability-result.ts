/** Says what Birder's tools give for an image, and makes model input of it as they do (introspection/base.py of Birder 0.8.4). */
import type { RgbImage } from '../../image/image.js'
import type { RgbStats } from '../../model/vit-config.js'
import type { ClassificationTransform } from '../classification-transform.js'
import { type NdArray, ndArray } from '../nd-array.js'

/** Holds what a tool has seen in an image. */
export interface InterpretabilityResult {
  /** [H, W, 3], from 0 to 1: the image as the network got it, of the network's input size. */
  readonly originalImage: NdArray
  /** Is the picture of it, of the network's input size. */
  readonly visualization: RgbImage
  /** Holds the numbers behind the picture: [H, W] of a rollout, [rows, columns, 3] of a PCA. */
  readonly rawOutput: NdArray
  /** [1, N] holds the scores; null where the tool has no use for them. */
  readonly logits: NdArray | null
  /** Is the class of the largest score, which is meaningless for an encoder without a classifier; null where there are no scores. */
  readonly predictedClass: number | null
}

/** Makes input of an image, and gives the image back from it. */
export function preprocessImage(
  image: RgbImage,
  transform: ClassificationTransform,
  rgbStats: RgbStats,
): { readonly input: NdArray; readonly originalImage: NdArray } {
  const pixels = transform(image)
  return { input: pixels.unsqueeze(0), originalImage: originalOf(pixels, rgbStats) }
}

/** Undoes the normalisation, in float32 and by way of bytes as torchvision does. */
function originalOf({ data, shape }: NdArray, { mean, std }: RgbStats): NdArray {
  const [channels = 0, height = 0, width = 0] = shape
  const size = height * width
  const out = new Float32Array(data.length)
  for (let c = 0; c < channels; c++) {
    const [subtracted, divided] = [Math.fround(-(mean[c] ?? 0) / (std[c] ?? 1)), Math.fround(1 / (std[c] ?? 1))]
    for (const [at, value] of data.subarray(c * size, (c + 1) * size).entries()) {
      const level = Math.fround(Math.fround(value - subtracted) / divided)
      out[at * channels + c] = Math.trunc(Math.fround(level * Math.fround(255.999))) / 255
    }
  }
  return ndArray(out, [height, width, channels])
}

/** Numbers the largest of the first row's scores, as Birder's `predict_class`. */
export function predictClass({ data, shape }: NdArray): number {
  const row = data.subarray(0, shape.at(-1))
  return row.reduce((best, score, at) => (score > (row[best] ?? Number.NaN) ? at : best), 0)
}

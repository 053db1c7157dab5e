/** Checks what every program asks of its input. */
import { EngineError } from './engine-error.js'

/**
 * Throws `wrong-size` unless `pixels` are those of a whole number of images.
 *
 * @param inputLength values of one image
 */
export function assertBatch(pixels: Float32Array, batch: number, inputLength: number): void {
  if (!Number.isInteger(batch) || batch < 1) {
    throw new EngineError('wrong-size', `A batch has 1 image or more, not ${batch}.`)
  }
  if (pixels.length === batch * inputLength) return
  throw new EngineError(
    'wrong-size',
    `A batch of ${batch} needs ${batch * inputLength} pixel values, got ${pixels.length}.`,
  )
}

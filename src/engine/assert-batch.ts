/** Checks what every program asks of its input. */
import { EngineError } from './engine-error.js'

/**
 * Throws `wrong-size` unless `values` are those of a whole number of images.
 *
 * @param inputLength values of one image
 * @param input names the input, where there are several
 */
export function assertBatch(values: Float32Array, batch: number, inputLength: number, input?: string): void {
  if (!Number.isInteger(batch) || batch < 1) {
    throw new EngineError('wrong-size', `A batch has 1 image or more, not ${batch}.`)
  }
  if (values.length === batch * inputLength) return
  const what = input === undefined ? 'pixel values' : `values of ${input}`
  throw new EngineError(
    'wrong-size',
    `A batch of ${batch} needs ${batch * inputLength} ${what}, got ${values.length}.`,
  )
}

/** Turns each image into a line of JSON as soon as it is done. Nothing is kept: what was written has reached whoever reads it. */
import { jsonLine } from '../formats/json-lines.js'
import { type EncodeInputsOptions, encodeInputs, type WorkCounts } from './encode-inputs.js'

export interface LinesOptions extends Omit<EncodeInputsOptions, 'sink'> {
  /** Resolves when the reader is ready for more: the next image waits for it. */
  readonly write: (line: string) => Promise<void>
}

/** Writes embeddings; throws what `write` throws. An abort throws the signal's reason. */
export function writeLines({ write, ...options }: LinesOptions): Promise<WorkCounts> {
  return encodeInputs({
    ...options,
    sink: {
      has: () => false,
      async keep({ path }, { imageSize: [height, width], embedding }) {
        await write(jsonLine({ path, height, width, values: embedding }))
        return null
      },
    },
  })
}

/** Tells why a checkpoint cannot be used, and judges the shapes of its tensors. */
import { CodedError } from '../coded-error.js'
import { type Shape, sameShape } from '../tensor/shape.js'

export type CheckpointErrorCode =
  | 'truncated'
  | 'malformed'
  | 'forbidden'
  | 'too-large'
  | 'unknown-format'
  | 'unknown-dialect'
  | 'unsupported-network'
  | 'unknown-field'
  | 'unsupported-field'
  | 'contradiction'
  | 'missing-tensor'
  | 'unexpected-tensor'
  | 'wrong-shape'
  | 'non-finite'
  | 'ambiguous-entry'
  | 'not-found'

export class CheckpointError extends CodedError<CheckpointErrorCode> {
  override readonly name = 'CheckpointError'
  /** Names the tensor at fault, where one is. */
  readonly tensor: string | undefined

  constructor(
    code: CheckpointErrorCode,
    message: string,
    options: { readonly tensor?: string; readonly cause?: unknown } = {},
  ) {
    super(code, message, options)
    this.tensor = options.tensor
  }
}

/** Every weight passes through here, so a wrong file fails by name instead of by NaN. */
export function assertShape(tensor: string, actual: Shape, expected: Shape): void {
  if (sameShape(actual, expected)) return
  throw new CheckpointError(
    'wrong-shape',
    `${tensor} is [${actual.join(', ')}] where the model needs [${expected.join(', ')}]. ` +
      'Is this the checkpoint of another model size?',
    { tensor },
  )
}

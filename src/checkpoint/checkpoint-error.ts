/** Tells why a checkpoint cannot be used, and judges the shapes of its tensors. */
import { CodedError } from '../coded-error.js'
import { type Shape, sameShape } from '../tensor/shape.js'

/** Says why a checkpoint cannot be used. */
export type CheckpointErrorCode =
  /** The file ends before it should. Fetch or copy it again. */
  | 'truncated'
  /** The file contradicts its own format: it is damaged, or no such file. Fetch it again. */
  | 'malformed'
  /** The file asks for what no checkpoint needs: code in a pickle, or a shard outside its folder. Nothing was run or opened. */
  | 'forbidden'
  /** The file claims more than its length or this reader's bounds allow. Fetch it again, or from a source that you trust. */
  | 'too-large'
  /** It is no checkpoint file: a folder, or of another kind. Give a safetensors or a PyTorch file. */
  | 'unknown-format'
  /** Its tensors are in no known library's layout. */
  | 'unknown-dialect'
  /** It is of a network that is not run here, which the message names. Where it was guessed wrongly, give `network`. */
  | 'unsupported-network'
  /** A field of its files is not known, so what it changes is not either. If it changes nothing, name it in `ignoreFields`. */
  | 'unknown-field'
  /** A field has a value that is not computed here. */
  | 'unsupported-field'
  /** Two things that the files say do not agree, or what is needed is said nowhere. The message names the option that settles it, such as `heads`. */
  | 'contradiction'
  /** A tensor that the network needs is not there. */
  | 'missing-tensor'
  /** A tensor is there that the network has no use for: it may be the file of another one. */
  | 'unexpected-tensor'
  /** A tensor has another shape than the network needs: it may be the file of another size. */
  | 'wrong-shape'
  /** The file holds several networks and nothing says which is meant. Name one by the option `entry`. */
  | 'ambiguous-entry'
  /** It is a head that was trained on the embeddings of another model, or of the same one loaded otherwise. */
  | 'other-identity'
  /** There is no such file, or it may not be read, or its disk fails. Check the path. */
  | 'not-found'

/** Is thrown where a checkpoint cannot be used. `code` is for programs, `message` says what to do. */
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

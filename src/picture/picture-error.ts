/** Says why a picture cannot be made. Programs branch on the code, people read the message. */
import { CodedError } from '../coded-error.js'

/** Says why a picture cannot be made. */
export type PictureErrorCode =
  /** There is nothing to make it of: no patches, or no place. */
  | 'nothing-there'
  /** Patches of different models, or of different widths, were mixed: their numbers mean different things. */
  | 'mixed-models'
  /** A place lies outside the photo, or in a part of it that no patch has seen. */
  | 'outside'
  /** It would take more memory than is allowed. Project first, or ask for fewer pixels. */
  | 'too-large'
  /** What was to be read again is not what was saved. */
  | 'malformed'
  /** There is no setting of this name. */
  | 'unknown-setting'

/** Is thrown where a picture cannot be made. `code` is for programs, `message` says what to do. */
export class PictureError extends CodedError<PictureErrorCode> {
  override readonly name = 'PictureError'
}

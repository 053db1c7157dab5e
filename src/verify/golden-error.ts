/** Says why a golden case cannot be run. Programs branch on the code, people read the message. */
import { CodedError } from '../coded-error.js'

export type GoldenErrorCode =
  /** The index or a file of the case lacks something that cases of this kind need. */
  | 'incomplete'
  /** The case names a rule or a recipe that is not known here. */
  | 'unsupported'

export class GoldenError extends CodedError<GoldenErrorCode> {
  override readonly name = 'GoldenError'
}

/** Says why a source gives no rows, or no more of them. */
import { CodedError } from '../../coded-error.js'

/**
 * `not-found`: nothing is there. `unclear`: it cannot be known what is meant; the message says what to add. `unreadable`: it may not or cannot be read. `damaged`: it is
 * not what its kind should be, or is cut off. `unknown-column`: it has no such column. `unsupported`: this kind is not read. `nothing-found`: it has no rows.
 * `no-contact`: rows lead to web servers, whose owners must be told whom to write to.
 */
export type SourceErrorCode =
  | 'not-found'
  | 'unclear'
  | 'unreadable'
  | 'damaged'
  | 'unknown-column'
  | 'unsupported'
  | 'nothing-found'
  | 'no-contact'

export class SourceError extends CodedError<SourceErrorCode> {
  override readonly name = 'SourceError'
}

/** Tells why there is nothing to work on. A single file that cannot be read is no such reason: it fails alone, later. */
import { CodedError } from '../coded-error.js'

export type InputErrorCode = 'nothing-found' | 'unreadable-list'

export class InputError extends CodedError<InputErrorCode> {
  override readonly name = 'InputError'
}

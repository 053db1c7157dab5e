/** Tells why a network is not written in another layout. Programs branch on the code, people read the message. */
import { CodedError } from '../coded-error.js'

export type ConvertErrorCode =
  /** The layout has no place for a part of the network, or would compute something else. */
  | 'not-held'
  /** A weight is larger than the type of elements that was asked for. */
  | 'value-too-large'
  /** What was written does not read back as what was read: the fault is here, and nothing was kept. */
  | 'check-failed'
  /** There is something at the output's place already. */
  | 'occupied'
  /** A library's files do not go by the name, or in the format, that was asked for. */
  | 'unsupported'

export class ConvertError extends CodedError<ConvertErrorCode> {
  override readonly name = 'ConvertError'
}

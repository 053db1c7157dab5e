/** Says why a queue did not do what it was asked. */
import { CodedError } from '../coded-error.js'

/** Says why a queue did not do what it was asked. */
export type QueueErrorCode =
  /** It did not answer after all tries. */
  | 'unavailable'
  /** It does not let this be done. */
  | 'refused'
  /** It is set so that it would lose parts; the message says which setting. */
  | 'unfit'
  /** The clocks of this machine and of the queue's server are too far apart for locks that rest on them. */
  | 'clock'
  /** The package that speaks to it is not installed. */
  | 'missing'

/** Is thrown where a queue cannot be used. `code` is for programs, `message` says what to do. */
export class QueueError extends CodedError<QueueErrorCode> {
  override readonly name = 'QueueError'
}

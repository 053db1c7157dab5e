/** A HubError says why weights could not be had by name. */
import { CodedError } from '../coded-error.js'

export type HubErrorCode =
  | 'unknown-model'
  | 'no-address'
  | 'offline'
  | 'no-network'
  | 'not-found'
  | 'forbidden'
  | 'server-error'
  | 'wrong-hash'
  | 'short-file'
  | 'too-long'
  | 'stalled'
  | 'disk-full'
  | 'no-access'
  | 'locked'
  | 'too-many-redirects'
  | 'insecure-redirect'

/** Programs branch on the code, people read the message. */
export class HubError extends CodedError<HubErrorCode> {
  override readonly name = 'HubError'
}

/**
 * This is a trouble that may be gone at the next try: a cut, a stall, a busy server. `retryAfterMs` is what
 * the server asked for. The download retries on these and, in the end, throws the HubError within.
 */
export class PassingTrouble extends Error {
  override readonly name = 'PassingTrouble'
  readonly error: HubError
  readonly retryAfterMs: number | undefined

  constructor(error: HubError, retryAfterMs?: number) {
    super(error.message, { cause: error })
    this.error = error
    this.retryAfterMs = retryAfterMs
  }
}

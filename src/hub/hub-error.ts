/** A HubError says why weights could not be had by name. */
import { CodedError } from '../coded-error.js'

/** Says why weights could not be had. */
export type HubErrorCode =
  /** There is no model of this name. The message gives the nearest ones. */
  | 'unknown-model'
  /** There is no address to fetch from: the format is not published, or a URL or `HF_ENDPOINT` is none. */
  | 'no-address'
  /** It is not here, and the network may not be used (`offline`, `HF_HUB_OFFLINE`). Bring the file, or allow the network. */
  | 'offline'
  /** The server cannot be reached. Check the network and the proxy. */
  | 'no-network'
  /** The server has nothing at this address. */
  | 'not-found'
  /** The server does not give it. Set `HF_TOKEN` to a token that may read it. */
  | 'forbidden'
  /** The repository is gated: its owners let in whom they have accepted. Ask for access on its page, and set `HF_TOKEN`. */
  | 'gated'
  /** The server answers with an error, or with something else than the file. Try again later; what has arrived is kept. */
  | 'server-error'
  /** The file has another SHA-256 than it should: it was changed, or published again. */
  | 'wrong-hash'
  /** The file is shorter than it should be. Run again; it goes on from what has arrived. */
  | 'short-file'
  /** The file is longer than it may be, so it is another one. Nothing is kept. */
  | 'too-long'
  /** The server sent nothing for `stallTimeoutMs`. Run again; it goes on from what has arrived. */
  | 'stalled'
  /** There is no room for the file. Free some, or set `PLUMAGE_CACHE`. */
  | 'disk-full'
  /** A file or folder cannot be read or written. Change its permissions, or set `PLUMAGE_CACHE`. */
  | 'no-access'
  /** Another process has been downloading the file for too long, or has taken it over. Wait for it, and run again. */
  | 'locked'
  /** The server redirects again and again. */
  | 'too-many-redirects'
  /** The server redirects from https to http. Nothing was fetched from there. */
  | 'insecure-redirect'

/** Is thrown where weights cannot be had. `code` is for programs, `message` says what to do. */
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

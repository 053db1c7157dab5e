/** Says why a plan cannot be run. Programs branch on the code, people read the message. */
import { CodedError } from '../coded-error.js'

export type EngineErrorCode =
  | 'unsupported'
  | 'unavailable'
  | 'out-of-memory'
  | 'disposed'
  | 'wrong-size'
  | 'non-finite'
  /** The GPU is gone; the next call asks for it anew. */
  | 'device-lost'
  /** The GPU computes something else than the reference engine. */
  | 'wrong-result'

export class EngineError extends CodedError<EngineErrorCode> {
  override readonly name = 'EngineError'
}

/** Tells whoever uses what has been given back: an engine, a model, a program, an encoder. */
export function disposed(what: string): EngineError {
  return new EngineError('disposed', `This ${what} has been disposed of. Load it again to go on.`)
}
